// Checks the types of each program that there is: what runs in Node, and what runs in a browser.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './sources.mjs';
import { runTool } from './vitest-run.mjs';

const TIMEOUT_MS = 120_000;
const configs = [
  'tsconfig.json',
  'apps/web/tsconfig.json',
  'apps/web/src/push-worker/tsconfig.json',
  'test/web/tsconfig.json',
];

for (const config of configs) {
  if (!existsSync(join(root, config))) continue;
  const code = await runTool(['node', 'node_modules/ts7/bin/tsc', '--noEmit', '-p', config], TIMEOUT_MS);
  if (code !== 0) process.exitCode = code;
}
