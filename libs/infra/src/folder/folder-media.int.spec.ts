import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mediaSpoolContract } from '../../../domain/src/media/media-spool.port.contract.js';
import { mediaStorageContract } from '../../../domain/src/media/media-storage.port.contract.js';
import { FolderMediaSpool } from './folder-media-spool.js';
import { FolderMediaStorage } from './folder-media-storage.js';

const fresh = (): Promise<string> => mkdtemp(join(tmpdir(), 'parley-folder-media-'));
const gone = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

mediaStorageContract('FolderMediaStorage', async () => {
  const folder = await fresh();
  return { storage: new FolderMediaStorage(join(folder, 'files')), close: () => gone(folder) };
});

mediaSpoolContract('FolderMediaSpool', async () => {
  const base = await fresh();
  const [folder, elsewhere] = [join(base, 'spool'), join(base, 'elsewhere')];
  await mkdir(elsewhere);
  return { spool: await FolderMediaSpool.open(folder), folder, elsewhere, close: () => gone(base) };
});

describe('the folders of media', () => {
  it('are readable for the account of the server alone', async () => {
    const folder = await fresh();
    const storage = new FolderMediaStorage(join(folder, 'files'));
    const path = join(folder, 'spooled');
    await writeFile(path, 'x');
    const mediaId = randomUUID();
    await storage.put(mediaId, 'original', { path, sizeBytes: 1, sha256: '' });
    const { mode } = await stat(join(folder, 'files', mediaId.slice(0, 2), mediaId));
    expect(mode & 0o077).toBe(0);
    await gone(folder);
  });

  it('lose, at the start, what a process that died left on its way long ago, and nothing that is new', async () => {
    const folder = await fresh();
    const [old, young] = [join(folder, randomUUID()), join(folder, randomUUID())];
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    const yesterday = new Date(Date.now() - 24 * 60 * 60_000);
    await utimes(old, yesterday, yesterday);
    await FolderMediaSpool.open(folder);
    expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
    await gone(folder);
  });
});
