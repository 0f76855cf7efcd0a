// Programs from the distribution's packages, unpacked into the cache: nothing is installed, and root is not needed.
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { cached } from './cache.mjs';
import { EngineError } from './engine-error.mjs';
import { findProgram, run } from './programs.mjs';

const SIMULATION_TIMEOUT_MS = 60_000;
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;
/** The C library cannot be mixed: programs of this machine run on this machine's. */
const NEVER_UNPACKED = new Set(['libc6', 'libc-bin']);

/**
 * Unpacks a package and those of its dependencies that this machine lacks.
 * @param companions packages whose files must lie beside its own, also where the machine has them
 * @param finish does what the packages' own installation scripts would do; gets the folder
 * @returns the folder that stands for `/`
 * @throws EngineError when there is no apt here, or the packages cannot be had
 */
export async function unpackedPackage(name, { finish = async () => undefined, companions = [] } = {}) {
  return cached(`${name}-${await distribution()}-${process.arch}`, async (folder) => {
    for (const program of ['apt-get', 'dpkg-deb']) {
      if (findProgram(program)) continue;
      throw new EngineError(`${name} is not installed, and without ${program} it cannot be fetched: install ${name}.`);
    }
    const downloads = join(folder, '.download');
    await mkdir(downloads);
    await download(name, companions, downloads);
    for (const file of await readdir(downloads)) {
      if (!file.endsWith('.deb')) continue;
      await run('dpkg-deb', ['-x', join(downloads, file), folder], { timeoutMs: SIMULATION_TIMEOUT_MS });
    }
    await rm(downloads, { recursive: true });
    await bendLinks(folder);
    await finish(folder);
  });
}

/** The environment in which an unpacked program finds its libraries. */
export async function libraryEnvironment(folder) {
  const folders = [];
  for (const base of ['usr/lib', 'lib']) {
    const entries = await readdir(join(folder, base)).catch(() => []);
    folders.push(...entries.filter((entry) => entry.endsWith('-linux-gnu')).map((entry) => join(folder, base, entry)));
  }
  return { ...process.env, LD_LIBRARY_PATH: folders.join(':') };
}

/** First with the machine's own lists of packages, then, should they be missing or too old, with fresh ones. */
async function download(name, companions, downloads) {
  try {
    return await downloadWith([], name, companions, downloads);
  } catch {
    const lists = await freshLists(downloads);
    return downloadWith(lists, name, companions, downloads).catch((error) => {
      throw new EngineError(`${name} is not installed and its package cannot be had: ${error.message}`);
    });
  }
}

async function downloadWith(options, name, companions, downloads) {
  const simulation = await run('apt-get', [...options, '-s', '--no-install-recommends', 'install', name], {
    timeoutMs: SIMULATION_TIMEOUT_MS,
    env: { ...process.env, LC_ALL: 'C' },
  });
  const names = new Set([name, ...companions]);
  for (const [, wanted] of simulation.matchAll(/^Inst (\S+)/gm)) if (!NEVER_UNPACKED.has(wanted)) names.add(wanted);
  await run('apt-get', [...options, 'download', ...names], { timeoutMs: DOWNLOAD_TIMEOUT_MS, cwd: downloads });
}

async function freshLists(downloads) {
  const lists = join(downloads, 'lists');
  const cache = join(downloads, 'cache');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  const options = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  // Under root apt would download as a user of its own, who may not enter a private cache.
  if (process.getuid() === 0) options.push('-o', 'APT::Sandbox::User=root');
  await run('apt-get', [...options, 'update'], { timeoutMs: DOWNLOAD_TIMEOUT_MS });
  return options;
}

/** Links mean files that are below the folder now, or that a package brought which this machine has already. */
async function bendLinks(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const target = await readlink(path);
    // Where the link would lead if the package were installed.
    const meant = resolve('/', relative(folder, dirname(path)), target);
    const inside = join(folder, meant);
    const bent = existsSync(inside) ? relative(dirname(path), inside) : meant;
    if (bent === target) continue;
    await rm(path);
    await symlink(bent, path);
  }
}

async function distribution() {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (key) => new RegExp(`^${key}="?([\\w.-]*)`, 'm').exec(text)?.[1];
  return `${field('ID') ?? process.platform}-${field('VERSION_ID') ?? 'rolling'}`;
}
