// Builds the web client into a folder: `node scripts/build-web.mjs FOLDER`. Each file is there compressed as well, so
// that the server has nothing to do but to send it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { filesBelow, root } from './sources.mjs';

const COMPRESSIBLE = /\.(html|js|css|svg|webmanifest)$/;
/** Below it, compressing saves less than a packet. */
const COMPRESSED_BYTES_MIN = 1_000;

const folder = resolve(process.argv[2] ?? join(root, 'dist', 'web'));
await build({
  configFile: join(root, 'apps', 'web', 'vite.config.ts'),
  logLevel: 'warn',
  build: { outDir: folder },
});
for (const path of filesBelow(folder)) {
  const bytes = readFileSync(path);
  if (!COMPRESSIBLE.test(path) || bytes.length < COMPRESSED_BYTES_MIN) continue;
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
}
