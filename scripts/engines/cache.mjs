// What was downloaded, kept from run to run. A folder appears under its name when it is whole, by one rename.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { EngineError } from './engine-error.mjs';

const UNFINISHED = '.unfinished-';
/** No download takes this long: an unfinished folder of this age was left by a run that was killed. */
const UNFINISHED_AGE_MS_MAX = 60 * 60_000;

const beingFilled = new Map();

/** `ENGINES_CACHE`, or `parley/engines` in the user's folder for caches. */
export function cacheFolder(env = process.env) {
  if (env.ENGINES_CACHE) return resolve(env.ENGINES_CACHE);
  if (env.XDG_CACHE_HOME) return join(resolve(env.XDG_CACHE_HOME), 'parley', 'engines');
  try {
    return join(homedir(), '.cache', 'parley', 'engines');
  } catch {
    throw new EngineError('This user has no home folder: set ENGINES_CACHE to a folder for what is downloaded.');
  }
}

/**
 * The folder of this name in the cache. When it is not there, `fill` gets an empty folder to fill, which takes the name
 * only when `fill` is done; of two runs that fill at once, one wins and both use what it made.
 * @returns its absolute path
 */
export async function cached(name, fill, folder = cacheFolder()) {
  const target = join(folder, name);
  const running = beingFilled.get(target);
  if (running) return running;
  const filling = fillFolder(folder, target, fill).finally(() => beingFilled.delete(target));
  beingFilled.set(target, filling);
  return filling;
}

async function fillFolder(folder, target, fill) {
  if (existsSync(target)) return target;
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);
  const work = await mkdtemp(join(folder, UNFINISHED));
  try {
    await fill(work);
    await rename(work, target);
  } catch (error) {
    const isThereByNow = ['ENOTEMPTY', 'EEXIST'].includes(error.code) && existsSync(target);
    if (!isThereByNow) throw error;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return target;
}

async function removeAbandoned(folder) {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(UNFINISHED)) continue;
    const entry = await stat(join(folder, name)).catch(() => undefined);
    if (entry && Date.now() - entry.mtimeMs > UNFINISHED_AGE_MS_MAX)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}
