// For whatever starts processes of the cluster: `dist` as the sources are now.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtHash, root, sourceHash } from './sources.mjs';

/**
 * Builds when the sources changed since, or an application is missing.
 * @returns the exit code of the build, 0 when none was needed
 */
export function buildIfStale() {
  const isThere = ['api', 'gateway', 'worker'].every((name) => existsSync(join(root, 'dist', 'apps', name, 'main.js')));
  if (isThere && builtHash() === sourceHash()) return 0;
  const script = join(root, 'scripts', 'build.mjs');
  return spawnSync(process.execPath, [script], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status ?? 1;
}
