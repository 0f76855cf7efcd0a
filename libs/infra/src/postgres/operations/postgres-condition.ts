import type { Pool } from 'pg';
import { MIGRATIONS } from '../migrations/index.js';

export interface PartitionCondition {
  partition: number;
  nextOffset: number;
  /** Null when nobody holds it, or held it until longer ago than a lease lasts. */
  owner: string | null;
}

/** What an operator wants to know of the database. */
export interface PostgresCondition {
  version: string;
  /** Names of migrations that this program has and the database has not. */
  migrationsMissing: string[];
  /** Names that the database has and this program does not know: it was made by a newer one. */
  migrationsUnknown: string[];
  /** Empty before the first start. */
  partitions: PartitionCondition[];
  workers: number;
  /** Commands that could not be decided. */
  deadLetters: number;
  /** Events that handlers have given up. */
  deadEvents: number;
  /** Settings with which an acknowledged write may be lost, as `name=value`. */
  unsafeSettings: string[];
  connections: { used: number; max: number };
  /** By its own clock, milliseconds since the epoch. */
  nowMs: number;
}

/** Asks and changes nothing, also of a database without any table. @throws what the driver throws */
export async function postgresCondition(pool: Pool): Promise<PostgresCondition> {
  const { rows } = await pool.query<{
    version: string;
    now_ms: string;
    unsafe: string[] | null;
    used: number;
    max: string;
    migrated: boolean;
  }>(
    `SELECT current_setting('server_version') AS version,
       (SELECT array_agg(name || '=' || setting ORDER BY name) FROM pg_settings
        WHERE (name IN ('fsync', 'full_page_writes') AND setting = 'off')
           OR (name = 'synchronous_commit' AND setting = 'off')) AS unsafe,
       (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       current_setting('max_connections') AS max,
       to_regclass('schema_migrations') IS NOT NULL AS migrated,
       (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms`,
  );
  const server = rows[0]!;
  const applied = server.migrated ? await appliedMigrations(pool) : [];
  const wanted = MIGRATIONS.map((migration) => new migration().name);
  const migrationsMissing = wanted.filter((name) => !applied.includes(name));
  const tables = migrationsMissing.length === 0;
  return {
    version: server.version.split(' ')[0] ?? server.version,
    migrationsMissing,
    migrationsUnknown: applied.filter((name) => !wanted.includes(name)),
    partitions: tables ? await partitionConditions(pool) : [],
    workers: tables ? await countOf(pool, 'pipeline_worker WHERE alive_until >= clock_timestamp()') : 0,
    deadLetters: tables ? await countOf(pool, 'dead_letter') : 0,
    deadEvents: tables ? await countOf(pool, 'event_handler_held WHERE dead') : 0,
    unsafeSettings: server.unsafe ?? [],
    connections: { used: server.used, max: Number(server.max) },
    nowMs: Number(server.now_ms),
  };
}

/** How far each partition is decided, and who owns it. */
export async function partitionConditions(pool: Pool): Promise<PartitionCondition[]> {
  const { rows } = await pool.query<{ partition: number; next_offset: string; owner: string | null }>(
    `SELECT partition, next_offset, CASE WHEN lease_until >= clock_timestamp() THEN owner END AS owner
     FROM partition_progress ORDER BY partition`,
  );
  return rows.map((row) => ({ partition: row.partition, nextOffset: Number(row.next_offset), owner: row.owner }));
}

/** For each partition of a log that is a table the offset that the next record will get. */
export async function tableLogEnds(pool: Pool): Promise<Map<number, number>> {
  const { rows } = await pool.query<{ partition: number; next_offset: string }>(
    'SELECT partition, next_offset FROM command_log_end',
  );
  return new Map(rows.map((row) => [row.partition, Number(row.next_offset)]));
}

async function appliedMigrations(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY timestamp, id');
  return rows.map(({ name }) => name);
}

async function countOf(pool: Pool, what: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${what}`);
  return rows[0]?.count ?? 0;
}
