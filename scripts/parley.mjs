// `npm run parley -- COMMAND`: builds when the sources changed, then becomes the operator's tool.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtHash, hasSources, root, sourceHash } from './sources.mjs';

const main = join(root, 'dist', 'apps', 'cli', 'main.js');

if (!existsSync(main) || (hasSources() && builtHash() !== sourceHash())) {
  const script = join(root, 'scripts', 'build.mjs');
  const { status } = spawnSync(process.execPath, [script], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}
const args = ['--enable-source-maps', main, ...process.argv.slice(2)];
if (process.execve) {
  // One process less between a signal and the tool.
  process.emitWarning = () => {};
  process.execve(process.execPath, [process.execPath, ...args], process.env);
}
const { status, signal } = spawnSync(process.execPath, args, { stdio: 'inherit' });
process.exit(signal ? 1 : (status ?? 1));
