import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, cached } from '../../scripts/engines/cache.mjs';

describe('the cache of engines', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley cache '));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const fillWith = (text: string) => (work: string) => writeFile(join(work, 'jar'), text);
  const jarIn = (path: string) => readFile(join(path, 'jar'), 'utf8');

  it('fills once, and finds what is there ever after', async () => {
    expect(await jarIn(await cached('kafka', fillWith('first'), folder))).toBe('first');
    expect(await jarIn(await cached('kafka', fillWith('second'), folder))).toBe('first');
  });

  it('keeps nothing of a download that breaks, and tries again the next time', async () => {
    const breaking = async (work: string): Promise<void> => {
      await fillWith('half of it')(work);
      throw new Error('connection lost');
    };
    await expect(cached('kafka', breaking, folder)).rejects.toThrow('connection lost');
    expect(await readdir(folder)).toEqual([]);
    expect(await jarIn(await cached('kafka', fillWith('all of it'), folder))).toBe('all of it');
  });

  it('never takes what a killed run left for the whole', async () => {
    const left = join(folder, '.unfinished-killed');
    await mkdir(left);
    await fillWith('half of it')(left);
    expect(await jarIn(await cached('kafka', fillWith('all of it'), folder))).toBe('all of it');
  });

  it('clears away what was left long ago, and leaves a run alone that is at work', async () => {
    const [old, young] = [join(folder, '.unfinished-old'), join(folder, '.unfinished-young')];
    await Promise.all([mkdir(old), mkdir(young)]);
    await utimes(old, new Date(0), new Date(0));
    await cached('kafka', fillWith('jar'), folder);
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
  });

  it('gives the winner’s folder to a run that finishes second', async () => {
    const overtaken = async (work: string): Promise<void> => {
      await fillWith('slow')(work);
      await mkdir(join(folder, 'kafka'));
      await fillWith('fast')(join(folder, 'kafka'));
    };
    expect(await jarIn(await cached('kafka', overtaken, folder))).toBe('fast');
    expect(await readdir(folder)).toEqual(['kafka']);
  });

  it('fills once for two that ask at the same time', async () => {
    let fills = 0;
    const count = async (work: string): Promise<void> => {
      fills += 1;
      await fillWith('jar')(work);
    };
    await Promise.all([cached('kafka', count, folder), cached('kafka', count, folder)]);
    expect(fills).toBe(1);
  });

  it('is where the environment says', () => {
    expect(cacheFolder({ ENGINES_CACHE: '/one', XDG_CACHE_HOME: '/two' })).toBe('/one');
    expect(cacheFolder({ XDG_CACHE_HOME: '/two' })).toBe('/two/parley/engines');
    expect(cacheFolder({})).toMatch(/\.cache\/parley\/engines$/);
  });
});
