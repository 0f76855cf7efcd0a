import { createHash, randomUUID } from 'node:crypto';
import { type Client, type QueryOptions, types } from 'cassandra-driver';
import { v5 as uuidV5 } from 'uuid';
import { isCassandraUnavailable } from './cassandra-answer.js';
import { CASSANDRA_START_MS_MAX, type CassandraSettings, connectCassandra } from './cassandra-client.js';
import { CASSANDRA_MIGRATIONS, type Migration } from './migrations/index.js';

/** Copies of each row, by data centre; only used where the keyspace does not exist yet. */
export type Replication = Readonly<Record<string, number>>;

/** Kept no longer than this by a process that died with it; a migration of new tables takes seconds. */
const LOCK_SECONDS = 120;
const LOCK_POLL_MS = 200;
const LOCK_WAIT_MS_MAX = 180_000;
/** A table is made on every node before the statement is answered. */
const SCHEMA_TIMEOUT_MS = 30_000;
/** Between attempts at a statement that the nodes cannot answer just now. */
const RETRY_PAUSE_MS = 500;
const TABLE_ID_NAMESPACE = '7d0c9a0e-5f0c-4f0e-9d4f-0a5f6f0d3c11';

const RECORD = `
  INSERT INTO schema_migration (name, version, migration, checksum, applied_at)
  VALUES ('parley', ?, ?, ?, toTimestamp(now()))`;
const LOCK = `INSERT INTO schema_lock (name, holder) VALUES ('parley', ?) IF NOT EXISTS USING TTL ${LOCK_SECONDS}`;
const UNLOCK = "DELETE FROM schema_lock WHERE name = 'parley' IF holder = ?";

interface Nodes {
  readonly client: Client;
  /** For so long a statement is tried again that they cannot answer just now. */
  readonly withinMs: number;
}

/** What the database holds is not what this version was made for. */
export class CassandraSchemaError extends Error {}

/**
 * Makes the keyspace if there is none and applies the migrations that are missing, one process at a time. Where none is
 * missing it only reads. Nodes that do not answer a statement are asked again for `withinMs`.
 * @returns versions that were applied now
 * @throws CassandraSchemaError when an applied migration was changed since, or the lock cannot be had
 */
export async function migrateCassandra(
  settings: CassandraSettings,
  replication: Replication,
  migrations: readonly Migration[] = CASSANDRA_MIGRATIONS,
  withinMs = CASSANDRA_START_MS_MAX,
): Promise<number[]> {
  if (await makeReady(settings, replication, migrations, withinMs)) return [];
  const client = await connectCassandra(settings, settings.keyspace, withinMs);
  const nodes = { client, withinMs };
  try {
    await createOwnTables(nodes, settings.keyspace);
    const holder = randomUUID();
    await lock(nodes, holder);
    try {
      return await applyMissing(nodes, migrations);
    } finally {
      await execute(nodes, UNLOCK, [holder]);
    }
  } finally {
    await client.shutdown();
  }
}

/** The newest migration that was applied; 0 when there is none. */
export async function cassandraSchemaVersion(client: Client): Promise<number> {
  return Math.max(0, ...(await appliedMigrations({ client, withinMs: 0 }, client.keyspace)).keys());
}

/** @returns whether all is there already; otherwise at least the keyspace is, by now */
async function makeReady(
  settings: CassandraSettings,
  replication: Replication,
  migrations: readonly Migration[],
  withinMs: number,
): Promise<boolean> {
  const client = await connectCassandra(settings, null, withinMs);
  const nodes = { client, withinMs };
  try {
    const applied = await appliedMigrations(nodes, settings.keyspace);
    if (migrations.every((migration) => isApplied(migration, applied))) return true;
    const factors = Object.entries(replication).map(([dataCentre, copies]) => `'${dataCentre}': ${copies}`);
    await executeSchema(
      nodes,
      `CREATE KEYSPACE IF NOT EXISTS ${settings.keyspace}
       WITH replication = {'class': 'NetworkTopologyStrategy', ${factors.join(', ')}}`,
    );
    return false;
  } finally {
    await client.shutdown();
  }
}

/**
 * The tables that the lock needs cannot be made under it. They get ids that follow from their names: two nodes that make
 * the same table at the same time would otherwise give it two, and never agree on the schema.
 */
async function createOwnTables(nodes: Nodes, keyspace: string): Promise<void> {
  const id = (table: string): string => uuidV5(`${keyspace}.${table}`, TABLE_ID_NAMESPACE);
  await executeSchema(
    nodes,
    `CREATE TABLE IF NOT EXISTS schema_lock (name text PRIMARY KEY, holder text) WITH ID = ${id('schema_lock')}`,
  );
  await executeSchema(
    nodes,
    `CREATE TABLE IF NOT EXISTS schema_migration (
       name text, version int, migration text, checksum text, applied_at timestamp, PRIMARY KEY (name, version)
     ) WITH ID = ${id('schema_migration')}`,
  );
}

async function lock(nodes: Nodes, holder: string): Promise<void> {
  for (const deadline = performance.now() + LOCK_WAIT_MS_MAX; ;) {
    const result = await execute(nodes, LOCK, [holder], { readTimeout: SCHEMA_TIMEOUT_MS });
    if (result.wasApplied()) return;
    // Its own: the answer to an earlier attempt was lost.
    if (result.first()?.['holder'] === holder) return;
    if (performance.now() > deadline) throw new CassandraSchemaError('Another process keeps migrating the schema.');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

async function applyMissing(nodes: Nodes, migrations: readonly Migration[]): Promise<number[]> {
  const applied = await appliedMigrations(nodes, nodes.client.keyspace);
  const missing: number[] = [];
  for (const migration of migrations) {
    if (isApplied(migration, applied)) continue;
    const { version, name, cql } = migration;
    for (const statement of statementsOf(cql)) await executeSchema(nodes, statement);
    await execute(nodes, RECORD, [version, name, checksumOf(migration)]);
    missing.push(version);
  }
  return missing;
}

/** @throws CassandraSchemaError when another one was applied under its number */
function isApplied(migration: Migration, applied: ReadonlyMap<number, string>): boolean {
  const known = applied.get(migration.version);
  if (known === undefined || known === checksumOf(migration)) return known !== undefined;
  throw new CassandraSchemaError(
    `The migration ${migration.name} was applied to Cassandra, and has been changed since.`,
  );
}

function checksumOf({ cql }: Migration): string {
  return createHash('sha256').update(cql).digest('hex');
}

/** Checksums by version; none where the keyspace, or the table for them, does not exist. */
async function appliedMigrations(nodes: Nodes, keyspace: string): Promise<Map<number, string>> {
  const { rows: tables } = await execute(
    nodes,
    `SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_migration'`,
    [keyspace],
  );
  if (tables.length === 0) return new Map();
  const applied = `SELECT version, checksum FROM ${keyspace}.schema_migration WHERE name = 'parley'`;
  const { rows } = await execute(nodes, applied, []);
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

async function executeSchema(nodes: Nodes, statement: string): Promise<void> {
  const consistency = types.consistencies.localQuorum;
  await execute(nodes, statement, [], { prepare: false, consistency, readTimeout: SCHEMA_TIMEOUT_MS });
}

/** Every statement of this file may be run twice: a node that is slow for a moment ends no process that starts. */
async function execute(
  { client, withinMs }: Nodes,
  statement: string,
  parameters: readonly unknown[],
  options: QueryOptions = {},
): Promise<types.ResultSet> {
  for (const deadline = performance.now() + withinMs; ;) {
    try {
      return await client.execute(statement, parameters, options);
    } catch (error) {
      if (!isCassandraUnavailable(error) || performance.now() >= deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS));
    }
  }
}
