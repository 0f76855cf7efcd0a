import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { DataDirLock } from './data-dir-lock.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres, EmbeddedPostgresConnection } from './embedded-postgres.js';
import { stopOrphan } from './orphan-server.js';
import { locateServerBinaries } from './server-binaries.js';

const FOLDER_PREFIX = 'parley-test-postgres-';
const TEMPLATE_PREFIX = 'parley-test-template-';
/** A folder this old whose lock is free was left by tests that were killed; a younger one may be about to be locked. */
const LEFT_AFTER_MS = 60_000;

/** A fresh, empty database on a real server. */
export interface TestPostgres {
  readonly url: string;
  readonly connection: EmbeddedPostgresConnection;
  /** Drops the database; the last one out stops the server and removes its files. */
  stop(): Promise<void>;
}

interface SharedServer {
  readonly server: EmbeddedPostgres;
  readonly dataDir: string;
  users: number;
}

let shared: Promise<SharedServer> | undefined;

/**
 * For integration tests: a database of one's own on a server that all callers in this process share. The server gives
 * up durability for speed. Call `stop` in `afterAll`; if a test process is killed, a later one clears up after it.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  shared ??= startSharedServer();
  const all = await shared;
  const { server, dataDir } = all;
  all.users += 1;
  const database = `test_${randomBytes(6).toString('hex')}`;
  await administer(server, `CREATE DATABASE ${database}`);
  const url = server.url.replace(`/${server.connection.database}`, `/${database}`);
  const stop = async (): Promise<void> => {
    all.users -= 1;
    if (all.users > 0) return administer(server, `DROP DATABASE ${database} WITH (FORCE)`);
    shared = undefined;
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  let stopping: Promise<void> | undefined;
  return { url, connection: { ...server.connection, database }, stop: () => (stopping ??= stop()) };
}

async function administer(server: EmbeddedPostgres, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

async function startSharedServer(): Promise<SharedServer> {
  await removeLeftovers();
  const dataDir = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  await copyTestCluster(dataDir);
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined, fsync: false });
  return { server, dataDir, users: 0 };
}

/** Puts a fresh, empty database cluster into a data folder, so that a start finds it instead of making one. */
export async function copyTestCluster(dataDir: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', await ensureTemplate(), join(dataDir, 'postgres')]);
}

/** Making a cluster takes half a second, copying one a twentieth of that: it is made once for each way of making it. */
async function ensureTemplate(): Promise<string> {
  const recipe = await readFile(new URL('./cluster-init.ts', import.meta.url));
  const { version } = await locateServerBinaries();
  const key = createHash('sha256').update(recipe).update(version).digest('hex').slice(0, 16);
  const template = join(tmpdir(), `${TEMPLATE_PREFIX}${process.getuid?.() ?? 0}-${key}`);
  if (await stat(template).catch(() => undefined)) return template;
  const dataDir = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
  const server = await startEmbeddedPostgres({ dataDir, log: () => undefined, fsync: false });
  await server.stop();
  // Fails when another worker was faster, whose template is as good.
  await rename(join(dataDir, 'postgres'), template).catch(() => undefined);
  await rm(dataDir, { recursive: true, force: true });
  return template;
}

async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const dataDir = join(tmpdir(), name);
    if (!name.startsWith(FOLDER_PREFIX) || !(await isOld(dataDir))) continue;
    // In use, or another user's: not ours to remove.
    const lock = await DataDirLock.acquire(dataDir).catch(() => undefined);
    if (!lock) continue;
    await stopOrphan(join(lock.dataDir, 'postgres'), 0);
    await rm(dataDir, { recursive: true, force: true });
    await lock.release();
  }
}

async function isOld(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => Date.now() - entry.mtimeMs > LEFT_AFTER_MS,
    () => false,
  );
}
