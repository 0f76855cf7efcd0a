import pg from 'pg';
import { DataSource } from 'typeorm';
import { BlockEntity } from './accounts/block.entity.js';
import { ContactEntity } from './accounts/contact.entity.js';
import { SessionEntity } from './accounts/session.entity.js';
import { UserEntity } from './accounts/user.entity.js';
import { MIGRATIONS } from './migrations/index.js';
import { recordStart } from './server-starts.js';

export const STATEMENT_TIMEOUT_MS = 10_000;
/** Ends a transaction that its process has forgotten, so that every commit comes within a known time of its statements. */
export const IDLE_IN_TRANSACTION_TIMEOUT_MS = 15_000;
const CONNECTION_TIMEOUT_MS = 3_000;
/** Any number, the same in every process: whoever holds it may migrate. */
const MIGRATION_LOCK = 7_233_519_401;

export interface DatabaseOptions {
  url: string;
  /** Connections of `pool`, and as many again of `dataSource`. */
  poolSize?: number;
  applicationName?: string;
  /** Told about connections that broke while nobody used them, until `close`; the pools replace them. */
  onPoolError?: (error: Error) => void;
}

/** The relational store: TypeORM for entities and migrations, a plain pool for SQL over arrays. */
export class Database {
  constructor(
    readonly dataSource: DataSource,
    readonly pool: pg.Pool,
    private readonly onClose: () => void,
  ) {}

  /** Waits for running statements. May be called twice. */
  async close(): Promise<void> {
    this.onClose();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    if (!this.pool.ending) await this.pool.end();
  }
}

function connectionOptions(options: DatabaseOptions): pg.PoolConfig {
  return {
    connectionString: options.url,
    application_name: options.applicationName ?? 'parley',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    keepAlive: true,
    // A fresh table has no statistics, and the planner then reads it whole; every query here has its index.
    options: '-c enable_seqscan=off -c jit=off',
  };
}

/** Runs what is pending, one process at a time; another one that starts meanwhile waits and then finds nothing to do. */
async function migrate(dataSource: DataSource, url: string): Promise<void> {
  const lock = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECTION_TIMEOUT_MS });
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await lock.end();
  }
}

/**
 * Opens the database, brings its schema up to date and records that a process has started on it.
 * @throws what the driver throws when it cannot be reached; nothing stays open then.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  let closing = false;
  const onPoolError = (error: Error): void => {
    // A pool says goodbye and does not wait: a server that is stopped just then ends such connections in its own words.
    if (!closing) options.onPoolError?.(error);
  };
  const poolSize = options.poolSize ?? 10;
  const connection = connectionOptions(options);
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    poolSize,
    extra: connection,
    poolErrorHandler: onPoolError,
    entities: [UserEntity, SessionEntity, ContactEntity, BlockEntity],
    migrations: MIGRATIONS,
    migrationsTableName: 'schema_migrations',
    installExtensions: false,
    logging: false,
  });
  const pool = new pg.Pool({ ...connection, max: poolSize });
  pool.on('error', onPoolError);
  const database = new Database(dataSource, pool, () => (closing = true));
  try {
    await dataSource.initialize();
    await migrate(dataSource, options.url);
    await recordStart(pool);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
