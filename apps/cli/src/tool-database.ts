import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AppConfig,
  DataDirBusyError,
  DataDirLock,
  DatabaseLock,
  findRunningPostgres,
  startEmbeddedPostgres,
} from '@parley/infra';
import pg from 'pg';

const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 60_000;
const CONNECTIONS_MAX = 4;

/** The database of the installation, as the server's configuration names it. */
export interface ToolDatabase {
  url: string;
  pool: pg.Pool;
  close(): Promise<void>;
}

/**
 * - `look`: beside a running server, or with the bundled database started for the time being.
 * - `change`: with the lock that servers hold; a server that works alone keeps this out and must be stopped first,
 *   since it would not notice. The processes of a cluster go on.
 */
export type Access = 'look' | 'change';

/** @throws Error in a sentence when a server is in the way, or there is no database */
export async function openToolDatabase(config: AppConfig, access: Access): Promise<ToolDatabase> {
  const closing: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const url = config.database.url ?? (await bundledUrl(config.profile.dataDir, access, closing));
    if (config.database.url !== undefined && access === 'change') {
      const lost = (): void => {};
      const lock = await DatabaseLock.acquire(url, lost, config.profile.name === 'cluster');
      closing.push(() => lock.release());
    }
    const pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      statement_timeout: STATEMENT_MS_MAX,
      application_name: 'parley-cli',
    });
    // The statement that needs the connection tells of it.
    pool.on('error', () => {});
    closing.push(() => pool.end());
    return { url, pool, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bundledUrl(dataDir: string, access: Access, closing: (() => Promise<void>)[]): Promise<string> {
  if (access === 'look' && !existsSync(join(dataDir, 'postgres'))) {
    throw new Error(`There is no database in ${dataDir}: "parley migrate" or the first start of the server makes it.`);
  }
  try {
    const postgres = await startEmbeddedPostgres({ dataDir, lock: await locked(dataDir, closing), log: () => {} });
    closing.push(() => postgres.stop());
    return postgres.url;
  } catch (error) {
    const running = access === 'look' && error instanceof DataDirBusyError && (await findRunningPostgres(dataDir));
    if (running) return running;
    throw error;
  }
}

async function locked(dataDir: string, closing: (() => Promise<void>)[]): Promise<DataDirLock> {
  const lock = await DataDirLock.acquire(dataDir);
  closing.push(() => lock.release());
  return lock;
}
