import { chown, copyFile, open, stat, truncate } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { systemErrorCode } from './embedded-postgres-error.js';

/** Two files of this size at most: the current one and the one before. */
const LOG_BYTES_MAX = 4 * 1024 * 1024;
const CHECK_EVERY_MS = 30_000;
const TAIL_BYTES = 8 * 1024;

/**
 * The server's log: a file which the server itself appends to, so that it neither waits for this process nor goes
 * silent when this process dies, and which this process keeps short.
 */
export class ServerLog {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #startedAtByte: number;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, file: FileHandle, startedAtByte: number) {
    this.#path = path;
    this.#file = file;
    this.#startedAtByte = startedAtByte;
    this.#timer = setInterval(() => void keepShort(path), CHECK_EVERY_MS);
    this.#timer.unref();
  }

  /** Opens the log at `path`. As root it is given to the owner of the data folder, so that its owner can go on with it. */
  static async open(path: string, owner: { uid: number; gid: number }): Promise<ServerLog> {
    await keepShort(path);
    const file = await open(path, 'a', 0o600);
    if (process.getuid?.() === 0) await chown(path, owner.uid, owner.gid);
    return new ServerLog(path, file, (await file.stat()).size);
  }

  /** The descriptor to hand to the server as its standard output and error. */
  get descriptor(): number {
    return this.#file.fd;
  }

  /** What was written last since this log was opened, a few kilobytes at most. */
  async tail(): Promise<string> {
    const reader = await open(this.#path, 'r');
    try {
      const { size } = await reader.stat();
      const from = Math.max(size - TAIL_BYTES, this.#startedAtByte <= size ? this.#startedAtByte : 0);
      const { buffer, bytesRead } = await reader.read(Buffer.alloc(TAIL_BYTES), 0, TAIL_BYTES, from);
      return buffer.subarray(0, bytesRead).toString('utf8').trim();
    } finally {
      await reader.close();
    }
  }

  /** Closes our side; the server keeps its own descriptor. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#file.close();
  }
}

/** Copies and truncates rather than renames: the server holds the file open and goes on appending to it. */
export async function keepShort(path: string): Promise<void> {
  try {
    if ((await stat(path)).size <= LOG_BYTES_MAX) return;
    await copyFile(path, `${path}.1`);
    await truncate(path, 0);
  } catch (error) {
    if (systemErrorCode(error) === '') throw error;
    // Not there yet, or the disk is full: the next check tries again.
  }
}
