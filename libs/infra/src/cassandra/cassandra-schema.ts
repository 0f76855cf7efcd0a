import { createHash, randomUUID } from 'node:crypto';
import { type Client, types } from 'cassandra-driver';
import { v5 as uuidV5 } from 'uuid';
import { type CassandraSettings, connectCassandra } from './cassandra-client.js';
import { CASSANDRA_MIGRATIONS, type Migration } from './migrations/index.js';

/** Copies of each row, by data centre; only used where the keyspace does not exist yet. */
export type Replication = Readonly<Record<string, number>>;

/** Kept no longer than this by a process that died with it; a migration of new tables takes seconds. */
const LOCK_SECONDS = 120;
const LOCK_POLL_MS = 200;
const LOCK_WAIT_MS_MAX = 180_000;
/** A table is made on every node before the statement is answered. */
const SCHEMA_TIMEOUT_MS = 30_000;
const TABLE_ID_NAMESPACE = '7d0c9a0e-5f0c-4f0e-9d4f-0a5f6f0d3c11';

const APPLIED = "SELECT version, checksum FROM schema_migration WHERE name = 'parley'";
const RECORD = `
  INSERT INTO schema_migration (name, version, migration, checksum, applied_at)
  VALUES ('parley', ?, ?, ?, toTimestamp(now()))`;
const LOCK = `INSERT INTO schema_lock (name, holder) VALUES ('parley', ?) IF NOT EXISTS USING TTL ${LOCK_SECONDS}`;
const UNLOCK = "DELETE FROM schema_lock WHERE name = 'parley' IF holder = ?";

/** What the database holds is not what this version was made for. */
export class CassandraSchemaError extends Error {}

/**
 * Makes the keyspace if there is none and applies the migrations that are missing, one process at a time.
 * @returns versions that were applied now
 * @throws CassandraSchemaError when an applied migration was changed since, or the lock cannot be had
 */
export async function migrateCassandra(
  settings: CassandraSettings,
  replication: Replication,
  migrations: readonly Migration[] = CASSANDRA_MIGRATIONS,
): Promise<number[]> {
  await createKeyspace(settings, replication);
  const client = await connectCassandra(settings);
  try {
    await createOwnTables(client, settings.keyspace);
    const holder = randomUUID();
    await lock(client, holder);
    try {
      return await applyMissing(client, migrations);
    } finally {
      await client.execute(UNLOCK, [holder]);
    }
  } finally {
    await client.shutdown();
  }
}

/** The newest migration that was applied; 0 when there is none. */
export async function cassandraSchemaVersion(client: Client): Promise<number> {
  const { rows } = await client.execute(
    `SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_migration'`,
    [client.keyspace],
  );
  return rows.length === 0 ? 0 : Math.max(0, ...(await appliedMigrations(client)).keys());
}

async function createKeyspace(settings: CassandraSettings, replication: Replication): Promise<void> {
  const factors = Object.entries(replication).map(([dataCentre, copies]) => `'${dataCentre}': ${copies}`);
  const client = await connectCassandra(settings, null);
  try {
    await executeSchema(
      client,
      `CREATE KEYSPACE IF NOT EXISTS ${settings.keyspace}
       WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}}`,
    );
  } finally {
    await client.shutdown();
  }
}

/**
 * The tables that the lock needs cannot be made under it. They get ids that follow from their names: two nodes that make
 * the same table at the same time would otherwise give it two, and never agree on the schema.
 */
async function createOwnTables(client: Client, keyspace: string): Promise<void> {
  const id = (table: string): string => uuidV5(`${keyspace}.${table}`, TABLE_ID_NAMESPACE);
  await executeSchema(
    client,
    `CREATE TABLE IF NOT EXISTS schema_lock (name text PRIMARY KEY, holder text) WITH ID = ${id('schema_lock')}`,
  );
  await executeSchema(
    client,
    `CREATE TABLE IF NOT EXISTS schema_migration (
       name text, version int, migration text, checksum text, applied_at timestamp, PRIMARY KEY (name, version)
     ) WITH ID = ${id('schema_migration')}`,
  );
}

async function lock(client: Client, holder: string): Promise<void> {
  for (const deadline = performance.now() + LOCK_WAIT_MS_MAX; ;) {
    const result = await client.execute(LOCK, [holder], { readTimeout: SCHEMA_TIMEOUT_MS });
    if (result.wasApplied()) return;
    // Its own: the answer to an earlier attempt was lost.
    if (result.first()?.['holder'] === holder) return;
    if (performance.now() > deadline) throw new CassandraSchemaError('Another process keeps migrating the schema.');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function applyMissing(client: Client, migrations: readonly Migration[]): Promise<number[]> {
  const applied = await appliedMigrations(client);
  const missing: number[] = [];
  for (const { version, name, cql } of migrations) {
    const checksum = createHash('sha256').update(cql).digest('hex');
    const known = applied.get(version);
    if (known === checksum) continue;
    if (known !== undefined) {
      throw new CassandraSchemaError(`The migration ${name} was applied to Cassandra, and has been changed since.`);
    }
    for (const statement of statementsOf(cql)) await executeSchema(client, statement);
    await client.execute(RECORD, [version, name, checksum]);
    missing.push(version);
  }
  return missing;
}

async function appliedMigrations(client: Client): Promise<Map<number, string>> {
  const { rows } = await client.execute(APPLIED);
  return new Map(rows.map((row) => [row['version'] as number, row['checksum'] as string]));
}

/** The statements of a migration; none of them has a semicolon or two hyphens within a text. */
function statementsOf(cql: string): string[] {
  const lines = cql.split('\n').map((line) => line.replace(/--.*$/, ''));
  return lines
    .join('\n')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

async function executeSchema(client: Client, statement: string): Promise<void> {
  const consistency = types.consistencies.localQuorum;
  await client.execute(statement, [], { prepare: false, consistency, readTimeout: SCHEMA_TIMEOUT_MS });
}
