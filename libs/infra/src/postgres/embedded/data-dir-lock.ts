import { randomBytes } from 'node:crypto';
import { chown, link, open, readdir, rm, stat } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { prepareDataDir } from './data-dir.js';
import { DataDirBusyError, EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';

const LOCK_NAME = /^\.parley-lock\.(\d+)$/;
const TEMPORARY_NAME = /^\.parley-lock\.new-/;
/** How long a holder that is alive may take to say its process id before we refuse without naming it. */
const HOLDER_ANSWER_MS_MAX = 2_000;
/** Contenders overtake one another only when one of them won, so a few rounds settle any race. */
const ROUNDS_MAX = 50;
/** A contender needs its temporary socket for milliseconds; one this old was left by a process that was killed. */
const TEMPORARY_AGE_MS_MAX = 60_000;

type Probe = { state: 'alive'; pid: number | undefined } | { state: 'dead' } | { state: 'gone' };

/**
 * Exclusive use of a data folder by one process, on every file system that knows Unix sockets and hard links, also
 * between containers that share a volume on one host.
 *
 * The holder listens on a Unix socket in the folder. The kernel ends the listening with the process, however that
 * dies, so there is no process id whose reuse could fool anybody: a socket that refuses is a dead holder's.
 *
 * Locks are numbered and the highest number counts. A new holder takes the next number with `link`, which fails if
 * another was faster, and only when the highest is dead. The highest file is never removed, not on release either, so
 * numbers never go back; and whoever wins looks again and withdraws if a higher number appeared since its first look.
 */
export class DataDirLock {
  /** The folder's real, absolute path. */
  readonly dataDir: string;
  readonly #server: Server;

  private constructor(dataDir: string, server: Server) {
    this.dataDir = dataDir;
    this.#server = server;
  }

  /**
   * Takes the lock, making the folder first if need be.
   * @throws DataDirBusyError when a live process (this one included) holds it.
   * @throws EmbeddedPostgresError when the folder cannot be used.
   */
  static async acquire(dataDir: string): Promise<DataDirLock> {
    const path = await prepareDataDir(dataDir);
    const folder = await open(path, 'r');
    // A socket's path is limited to about 100 bytes; through the open folder, any depth will do (Linux).
    const base = process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : path;
    const temporary = `.parley-lock.new-${randomBytes(8).toString('hex')}`;
    try {
      const server = await listen(join(base, temporary), path);
      try {
        await giveToOwnerOf(path, join(path, temporary));
        await win(path, base, temporary);
        return new DataDirLock(path, server);
      } catch (error) {
        server.close();
        throw error;
      }
    } finally {
      await rm(join(path, temporary), { force: true });
      await folder.close();
    }
  }

  /** Gives the folder free. Calling it again does nothing. */
  async release(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function win(path: string, base: string, temporary: string): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const highest = await highestNumber(path);
    if (highest > 0) {
      const probe = await probeHolder(join(base, `.parley-lock.${highest}`), path);
      if (probe.state === 'alive') throw new DataDirBusyError(path, probe.pid);
      if (probe.state === 'gone') continue;
    }
    const mine = join(path, `.parley-lock.${highest + 1}`);
    try {
      await link(join(path, temporary), mine);
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') continue;
      throw cannotLock(path, error);
    }
    if ((await highestNumber(path)) === highest + 1) {
      await removeOlder(path, highest + 1);
      return;
    }
    await rm(mine, { force: true });
  }
  throw new EmbeddedPostgresError(`The lock of the data folder ${path} could not be taken; try again.`);
}

/** Listed twice, because one listing may miss both the old and the new name while a lock is being succeeded. */
async function highestNumber(path: string): Promise<number> {
  const names = [...(await readdir(path)), ...(await readdir(path))];
  return Math.max(0, ...names.map((name) => Number(LOCK_NAME.exec(name)?.[1] ?? 0)));
}

/** Removes what dead holders left: lower numbers, and temporary sockets nobody listens on any more. */
async function removeOlder(path: string, mine: number): Promise<void> {
  for (const name of await readdir(path)) {
    const number = Number(LOCK_NAME.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
    if (number < mine) await rm(join(path, name), { force: true });
    if (TEMPORARY_NAME.test(name) && (await ageMsOf(join(path, name))) > TEMPORARY_AGE_MS_MAX) {
      await rm(join(path, name), { force: true });
    }
  }
}

async function ageMsOf(file: string): Promise<number> {
  return stat(file).then(
    (entry) => Date.now() - entry.mtimeMs,
    () => 0,
  );
}

async function listen(socketPath: string, dataDir: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Destroyed at once: a contender that hangs must not keep `release` waiting.
    socket.end(`${process.pid}\n`, () => socket.destroy());
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    // Stays for good: an `accept` that fails for want of file descriptors must not end the process.
    server.on('error', (error) => reject(cannotLock(dataDir, error)));
    server.listen(socketPath, () => resolve());
  });
  return server;
}

/** A process of the folder's owner must be able to ask this lock, also when root made it. */
async function giveToOwnerOf(path: string, socketPath: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await stat(path);
  if (owner.uid !== 0) await chown(socketPath, owner.uid, owner.gid);
}

function probeHolder(socketPath: string, dataDir: string): Promise<Probe> {
  return new Promise((resolve, reject) => {
    let said = '';
    let connected = false;
    const socket = createConnection(socketPath);
    const finish = (probe: Probe): void => {
      socket.destroy();
      resolve(probe);
    };
    socket.setTimeout(HOLDER_ANSWER_MS_MAX, () => finish({ state: 'alive', pid: undefined }));
    socket.on('connect', () => (connected = true));
    socket.on('data', (chunk) => (said += chunk.toString()));
    socket.on('end', () => finish({ state: 'alive', pid: Number.parseInt(said, 10) || undefined }));
    socket.on('error', (error) => {
      const code = systemErrorCode(error);
      if (connected || code === 'EAGAIN') return finish({ state: 'alive', pid: undefined });
      if (code === 'ECONNREFUSED') return finish({ state: 'dead' });
      if (code === 'ENOENT') return finish({ state: 'gone' });
      return reject(cannotLock(dataDir, error));
    });
  });
}

function cannotLock(dataDir: string, error: unknown): EmbeddedPostgresError {
  if (error instanceof EmbeddedPostgresError) return error;
  const code = systemErrorCode(error);
  return new EmbeddedPostgresError(
    `The data folder ${dataDir} cannot be locked (${code || String(error)}): ` +
      'it must be on a local file system that allows Unix sockets and hard links, and belong to the user who runs Parley.',
  );
}
