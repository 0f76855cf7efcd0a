import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repositoryPath } from './trial-repository.js';

interface LockedPackage {
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Record<string, string>;
  readonly resolved?: string;
  readonly link?: boolean;
}

const manifest = JSON.parse(readFileSync(repositoryPath('package.json'), 'utf8')) as {
  allowScripts: Record<string, boolean>;
};
const lock = JSON.parse(readFileSync(repositoryPath('package-lock.json'), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};

const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** The places in which Node would look for a package, from the folder of the one that asks for it upwards. */
function placesOf(name: string, from: string): readonly string[] {
  const folders = from.split('/node_modules/').map((_, index, all) => all.slice(0, index + 1).join('/node_modules/'));
  return [`node_modules/${name}`, ...folders.map((folder) => `${folder}/node_modules/${name}`)];
}

describe('the lock file', () => {
  it('decides for every package with an install script whether the script may run', () => {
    const scripted = Object.keys(lock.packages).filter((path) => lock.packages[path]?.hasInstallScript);
    expect(scripted.map(nameOf).filter((name) => !(name in manifest.allowScripts))).toEqual([]);
    expect(Object.keys(manifest.allowScripts).toSorted()).toEqual([...new Set(scripted.map(nameOf))].toSorted());
  });

  it('holds the packages of every platform, without which npm 11 and 12 refuse to install', () => {
    const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !placesOf(name, path).some((place) => place in lock.packages))
        .map((name) => `${name} of ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('names no place to download from, so any registry will do', () => {
    const placed = Object.entries(lock.packages).filter(([, { resolved, link }]) => resolved !== undefined && !link);
    expect(placed.map(([path]) => path)).toEqual([]);
  });
});
