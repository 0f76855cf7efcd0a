import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rspack } from '@rspack/core';
import { root } from '../sources.mjs';

/** The SDK from its sources, as one module. @throws what the bundler found wrong */
export async function loadSdk() {
  // Below node_modules, where socket.io-client is found from.
  const path = join(root, 'node_modules', '.cache', `parley-demo-${process.pid}`);
  const compiler = rspack({
    mode: 'development',
    devtool: false,
    target: 'node20',
    entry: join(root, 'packages', 'sdk', 'src', 'index.ts'),
    externals: { 'socket.io-client': 'module socket.io-client' },
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    module: {
      rules: [{ test: /\.ts$/, loader: 'builtin:swc-loader', options: { jsc: { parser: { syntax: 'typescript' } } } }],
    },
    output: { path, filename: 'sdk.mjs', library: { type: 'module' }, module: true, chunkFormat: 'module' },
  });
  try {
    await new Promise((done, fail) => {
      compiler.run((error, stats) => {
        const problem = error ?? (stats?.hasErrors() ? new Error(stats.toString('errors-only')) : null);
        compiler.close(() => (problem ? fail(problem) : done()));
      });
    });
    return await import(pathToFileURL(join(path, 'sdk.mjs')).href);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
