import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError, MediaSpool, type SpooledFile } from '@parley/domain';

/** What lies here for longer belonged to a process that died. */
const LEFT_OVER_MS = 6 * 60 * 60_000;

/** A folder for files on their way, beside the storage where that is a folder too: taking a file over is then a renaming. */
export class FolderMediaSpool extends MediaSpool {
  constructor(private readonly folder: string) {
    super();
  }

  /** The folder, made when it is missing; what a process that died left in it long ago is deleted. */
  static async open(folder: string, nowMs = Date.now()): Promise<FolderMediaSpool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      // Another process may have deleted it just now.
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
      if (nowMs - mtimeMs > LEFT_OVER_MS) await rm(path, { recursive: true, force: true });
    }
    return new FolderMediaSpool(folder);
  }

  override async receive(bytes: Readable, bytesMax: number): Promise<SpooledFile> {
    const path = this.freshPath();
    const meter = new Meter(bytesMax);
    try {
      await pipeline(bytes, meter, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return { path, ...meter.total() };
  }

  override async adopt(given: string): Promise<SpooledFile> {
    const path = this.freshPath();
    await rename(given, path);
    const meter = new Meter(Infinity);
    await pipeline(createReadStream(path), meter.resume());
    return { path, ...meter.total() };
  }

  override async discard({ path }: SpooledFile): Promise<void> {
    // A file that cannot be deleted now is one of those that `open` deletes later.
    await rm(path, { force: true }).catch(() => {});
  }

  private freshPath(): string {
    return join(this.folder, randomUUID());
  }
}

/** Counts and hashes what passes, and lets no more than so many bytes pass. */
class Meter extends Transform {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  constructor(private readonly bytesMax: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.bytes += chunk.length;
    if (this.bytes > this.bytesMax) {
      done(new DomainError('payload_too_large', `A file has at most ${this.bytesMax} bytes`));
      return;
    }
    this.hash.update(chunk);
    done(null, chunk);
  }

  total(): { sizeBytes: number; sha256: string } {
    return { sizeBytes: this.bytes, sha256: this.hash.digest('hex') };
  }
}
