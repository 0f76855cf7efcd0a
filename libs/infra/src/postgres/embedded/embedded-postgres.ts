import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureCluster, readPassword } from './cluster-init.js';
import { DataDirLock } from './data-dir-lock.js';
import { readPostmasterFile, stopOrphan } from './orphan-server.js';
import { chooseServerAccount, giveTo, openDataDirTo, planLaunch } from './server-account.js';
import { locateServerBinaries, repairInstallation } from './server-binaries.js';
import { closeEndpoint, openEndpoint } from './server-endpoint.js';
import type { ServerEndpoint } from './server-endpoint.js';
import { ServerLog } from './server-log.js';
import { ServerProcess } from './server-process.js';
import { SERVER_DATABASE, SERVER_ROLE, SETTINGS_FILE, writeServerSettings } from './server-settings.js';

/** Crash recovery of a full write-ahead log takes tens of seconds on a slow disk. */
const START_TIMEOUT_MS = 120_000;
/** Less than the 10 s which a container gets between the request to stop and its end. */
const STOP_TIMEOUT_MS = 8_000;

export type EmbeddedPostgresLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;

export interface EmbeddedPostgresOptions {
  /** The application's data folder; the database lives in `postgres` below it. */
  readonly dataDir: string;
  readonly log: EmbeddedPostgresLog;
  /** The lock on `dataDir`, when the application holds it already; else it is taken here and given back by `stop`. */
  readonly lock?: DataDirLock;
  /** How long the server may take until it answers. */
  readonly startTimeoutMs?: number;
  /** How long a shutdown that finishes running transactions' rollback and a checkpoint may take before a hard one. */
  readonly stopTimeoutMs?: number;
  /** Default true; false gives up durability, for tests alone. */
  readonly fsync?: boolean;
}

/** How to reach the server, in the form both `pg` and TypeORM take. */
export interface EmbeddedPostgresConnection {
  /** A folder with a Unix socket, or 127.0.0.1. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface EmbeddedPostgres {
  /** The same as `connection`, as `postgres://…` for `pg`. Holds the password: never log it. */
  readonly url: string;
  readonly connection: EmbeddedPostgresConnection;
  readonly pid: number;
  /** Stops the server in order, by force when that takes too long. Idempotent; never fails because the server is gone. */
  stop(): Promise<void>;
  /**
   * Tells when the server ends though nobody called `stop`, at once if it has ended already. The folder stays locked:
   * call `stop`, then `startEmbeddedPostgres` again.
   */
  onUnexpectedExit(listener: (why: string) => void): void;
}

/**
 * Starts the bundled PostgreSQL server on `dataDir`, making the database first if there is none, and after stopping a
 * server which an earlier, killed process left. It answers once the server accepts connections.
 *
 * The server is in a process group of its own, so Ctrl-C reaches this process alone and `stop` decides on the order.
 * Should this process exit without `stop`, the server is told to shut down.
 * @throws DataDirBusyError when another live process holds the folder.
 * @throws EmbeddedPostgresError for everything else an operator can act on.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const lock = options.lock ?? (await DataDirLock.acquire(options.dataDir));
  const releaseOwnLock = async (): Promise<void> => {
    if (options.lock === undefined) await lock.release();
  };
  try {
    return await startLocked(lock.dataDir, options, releaseOwnLock);
  } catch (error) {
    await releaseOwnLock();
    throw error;
  }
}

/**
 * Where the server of a data folder runs that another process holds, as `postgres://…`; undefined when none runs there.
 * @throws EmbeddedPostgresError when the password beside it cannot be read
 */
export async function findRunningPostgres(dataDir: string): Promise<string | undefined> {
  const clusterDir = join(dataDir, 'postgres');
  const running = await readPostmasterFile(clusterDir);
  if (!running) return undefined;
  const { socketDir, port } = running;
  const endpoint: ServerEndpoint = socketDir === '' ? { kind: 'tcp', port } : { kind: 'socket', socketDir, port };
  return urlOf(connectionOf(endpoint, await readPassword(clusterDir)));
}

async function startLocked(
  dataDir: string,
  options: EmbeddedPostgresOptions,
  release: () => Promise<void>,
): Promise<EmbeddedPostgres> {
  const { log, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
  const clusterDir = join(dataDir, 'postgres');
  const binaries = await locateServerBinaries();
  const account = await chooseServerAccount(dataDir, clusterDir);
  await openDataDirTo(account, dataDir);
  const env = serverEnvironment(await repairInstallation(binaries, join(dataDir, 'postgres-lib')));
  const orphan = await stopOrphan(clusterDir, stopTimeoutMs);
  if (orphan !== undefined) log('warn', orphan);
  if ((await ensureCluster({ dataDir, clusterDir, account }, binaries, env)) === 'made') {
    log('info', `Made a new database in ${clusterDir}.`);
  }

  const password = await readPassword(clusterDir);
  const endpoint = await openEndpoint(dataDir, account);
  try {
    await writeServerSettings(clusterDir, { endpoint, fsync: options.fsync ?? true });
    for (const name of [SETTINGS_FILE, 'pg_hba.conf']) await giveTo(account, join(clusterDir, name));
    const paths = [binaries.postgres, binaries.libDir, clusterDir];
    if (endpoint.kind === 'socket') paths.push(endpoint.socketDir);
    const launch = await planLaunch(account, paths);
    const serverLog = await ServerLog.open(join(dataDir, 'postgres.log'), await stat(dataDir));
    const server = new ServerProcess({ program: binaries.postgres, clusterDir, env, launch, log: serverLog });
    await server.start(options.startTimeoutMs ?? START_TIMEOUT_MS);
    log('debug', `The database server runs (pid ${server.pid}).`);
    return handle(server, connectionOf(endpoint, password), {
      log,
      stopTimeoutMs,
      cleanUp: async () => {
        await closeEndpoint(endpoint);
        await release();
      },
    });
  } catch (error) {
    await closeEndpoint(endpoint);
    throw error;
  }
}

function handle(
  server: ServerProcess,
  connection: EmbeddedPostgresConnection,
  options: { log: EmbeddedPostgresLog; stopTimeoutMs: number; cleanUp: () => Promise<void> },
): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const how = await server.stop(options.stopTimeoutMs);
    if (how === 'forced')
      options.log('warn', 'The database server did not shut down in time and was stopped by force.');
    await options.cleanUp();
  };
  return {
    url: urlOf(connection),
    connection,
    pid: server.pid,
    stop: () => (stopping ??= stop()),
    onUnexpectedExit: (listener) => server.onUnexpectedExit(listener),
  };
}

/** Nothing of the application's environment, which holds its secrets, is handed on. */
function serverEnvironment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', ...extra };
}

function connectionOf(endpoint: ServerEndpoint, password: string): EmbeddedPostgresConnection {
  const host = endpoint.kind === 'socket' ? endpoint.socketDir : '127.0.0.1';
  return { host, port: endpoint.port, user: SERVER_ROLE, password, database: SERVER_DATABASE };
}

function urlOf({ host, port, user, password, database }: EmbeddedPostgresConnection): string {
  if (host.startsWith('/')) {
    return `postgres://${user}:${password}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;
  }
  return `postgres://${user}:${password}@${host}:${port}/${database}`;
}
