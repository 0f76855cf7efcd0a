import { copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  type ByteRange,
  DomainError,
  MediaStorage,
  type MediaVariant,
  type SpooledFile,
  storageKeyOf,
} from '@parley/domain';

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Media as files of a local folder, or of one that several machines share. */
export class FolderMediaStorage extends MediaStorage {
  /** @param folder made when it is missing */
  constructor(private readonly folder: string) {
    super();
  }

  override async put(mediaId: string, variant: MediaVariant, file: SpooledFile): Promise<void> {
    const path = this.pathOf(mediaId, variant);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await this.moveHere(file.path, path);
    await synced(dirname(path));
  }

  override async size(mediaId: string, variant: MediaVariant): Promise<number | null> {
    try {
      return (await stat(this.pathOf(mediaId, variant))).size;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  override async read(mediaId: string, variant: MediaVariant, range?: ByteRange): Promise<Readable> {
    try {
      const handle = await open(this.pathOf(mediaId, variant), 'r');
      return handle.createReadStream(range ? { start: range.from, end: range.to } : {});
    } catch (error) {
      if (isMissing(error)) throw new DomainError('not_found', 'No such medium');
      throw error;
    }
  }

  override async remove(mediaId: string): Promise<void> {
    await rm(dirname(this.pathOf(mediaId, 'original')), { recursive: true, force: true });
  }

  override link(): Promise<null> {
    return Promise.resolve(null);
  }

  private pathOf(mediaId: string, variant: MediaVariant): string {
    return join(this.folder, storageKeyOf(mediaId, variant));
  }

  /** What stands under its name is whole: from another file system it is copied beside first. */
  private async moveHere(from: string, to: string): Promise<void> {
    await synced(from);
    try {
      await rename(from, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
      const beside = `${to}.part`;
      await copyFile(from, beside);
      await synced(beside);
      await rename(beside, to);
      await rm(from, { force: true });
    }
  }
}

/** On the disk, also if the machine loses its power now. */
async function synced(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
