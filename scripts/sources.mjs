import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

const notSources = new Set(['node_modules', 'dist', 'coverage', 'data', '.git']);

/** Every file below `folder` (absolute paths, sorted), without the folders that hold no sources. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (notSources.has(entry.name) || entry.name.startsWith('.dist-')) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(path));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort((a, b) => (a < b ? -1 : 1));
}

/** What a bundle is made of: if none of these bytes changed, neither did the bundle. */
function bundleInputs() {
  const settings = ['package.json', 'package-lock.json', 'tsconfig.json', 'nest-cli.json', 'rspack.config.mjs'];
  const sources = ['apps', 'libs', 'packages']
    .flatMap((folder) => filesBelow(join(root, folder)))
    .filter((path) => !/\.spec\.tsx?$/.test(path));
  return [...settings.map((name) => join(root, name)).filter((path) => existsSync(path)), ...sources];
}

/** True where the sources are present, which they are not in the container image. */
export function hasSources() {
  return existsSync(join(root, 'apps')) && statSync(join(root, 'apps')).isDirectory();
}

/** A hash over names and bytes: checkouts and copies change the times of files, not what is in them. */
export function sourceHash() {
  const hash = createHash('sha256');
  for (const path of bundleInputs())
    hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

/** The hash of the sources that `dist` was built from; undefined when there is no build. */
export function builtHash() {
  try {
    return JSON.parse(readFileSync(join(root, 'dist', 'build.json'), 'utf8')).sourceHash;
  } catch {
    return undefined; // No stamp, or half of one: build again.
  }
}
