import type { MediaUse } from '@parley/domain';
import pg from 'pg';
import { PostgresCheckpoint } from '../checkpoint/postgres-checkpoint.js';

/** Where the tables are filled, beside the live ones and under the same names. */
export const REBUILD_SCHEMA = 'parley_rebuild';
/** Any number, the same in every process, and another one than those of migrations and servers. */
const REBUILD_LOCK = 7_233_519_403;
const CONNECT_MS_MAX = 3_000;
const STATEMENT_MS_MAX = 600_000;
const TABLES = [
  'conversation',
  'conversation_member',
  'receipt_advance',
  'media_use',
  'partition_progress',
  'dead_letter',
];

/** Two rebuilds at once would disturb one another. */
export class RebuildUnderWay extends Error {
  constructor() {
    super('Another rebuild works on this database: wait for its end.');
  }
}

/** What a rebuild is about: one that was broken off goes on where it was if the next one is about the same. */
export interface RebuildAim {
  partitions: number;
  messages: boolean;
  conversationId?: string | undefined;
}

/**
 * Empty copies of the tables that the event stream comes to, in a schema of their own. Everything that writes and reads
 * the live ones works on them too, since a connection finds the copies first.
 */
export class RebuildTables {
  private constructor(
    /** Holds the lock, and sees the live tables. */
    readonly live: pg.Client,
    private readonly pool: pg.Pool,
    readonly checkpoint: PostgresCheckpoint,
    /** The schema of the live tables, as an SQL name. */
    readonly liveSchema: string,
    /** True when an earlier rebuild with the same aim was broken off. */
    readonly resumed: boolean,
  ) {}

  /** @throws RebuildUnderWay; what the driver throws */
  static async open(url: string, aim: RebuildAim): Promise<RebuildTables> {
    const live = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      statement_timeout: STATEMENT_MS_MAX,
      application_name: 'parley-rebuild',
    });
    // Whatever is asked for next says that the connection is gone.
    live.on('error', () => {});
    await live.connect();
    try {
      const { rows } = await live.query<{ taken: boolean; schema: string }>(
        'SELECT pg_try_advisory_lock($1) AS taken, quote_ident(current_schema()) AS schema',
        [REBUILD_LOCK],
      );
      if (!rows[0]?.taken) throw new RebuildUnderWay();
      const { schema } = rows[0];
      const resumed = await makeTables(live, schema, aim);
      const pool = new pg.Pool({
        connectionString: url,
        max: 2,
        connectionTimeoutMillis: CONNECT_MS_MAX,
        statement_timeout: STATEMENT_MS_MAX,
        application_name: 'parley-rebuild',
        options: `-c search_path=${REBUILD_SCHEMA},${schema}`,
      });
      pool.on('error', () => {});
      return new RebuildTables(live, pool, new PostgresCheckpoint(pool), schema, resumed);
    } catch (error) {
      await live.end();
      throw error;
    }
  }

  /** What was noted so far about media of these messages. */
  async notedMediaUses(messageIds: readonly string[]): Promise<MediaUse[]> {
    const { rows } = await this.pool.query<{
      conversation_id: string;
      message_id: string;
      seq: string;
      media_id: string;
      removed_at: Date | null;
    }>(
      `SELECT conversation_id, message_id, seq, media_id, removed_at FROM ${REBUILD_SCHEMA}.media_use
       WHERE message_id = ANY ($1::bigint[])`,
      [messageIds],
    );
    return rows.map((row) => ({
      conversationId: row.conversation_id,
      messageId: row.message_id,
      seq: Number(row.seq),
      mediaId: row.media_id,
      removedAt: row.removed_at?.getTime() ?? null,
    }));
  }

  /** Everything is in its place: the copies go. */
  async drop(): Promise<void> {
    await this.live.query(`DROP SCHEMA IF EXISTS ${REBUILD_SCHEMA} CASCADE`);
  }

  async close(): Promise<void> {
    await this.pool.end();
    await this.live.end();
  }
}

/** @returns whether those of an earlier rebuild with the same aim are there */
async function makeTables(client: pg.Client, schema: string, aim: RebuildAim): Promise<boolean> {
  const { rows: applied } = await client.query<{ name: string }>(
    `SELECT name FROM ${schema}.schema_migrations ORDER BY timestamp DESC LIMIT 1`,
  );
  const { partitions, messages, conversationId = 'all' } = aim;
  const wanted = [applied[0]?.name, partitions, messages ? 'messages' : 'tables', conversationId].join(' ');
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('${REBUILD_SCHEMA}.aim') IS NOT NULL AS there`,
  );
  if (rows[0]?.there) {
    const earlier = await client.query<{ aim: string }>(`SELECT aim FROM ${REBUILD_SCHEMA}.aim`);
    if (earlier.rows[0]?.aim === wanted) return true;
  }
  await client.query('BEGIN');
  await client.query(`DROP SCHEMA IF EXISTS ${REBUILD_SCHEMA} CASCADE`);
  await client.query(`CREATE SCHEMA ${REBUILD_SCHEMA}`);
  for (const table of TABLES) {
    await client.query(`CREATE TABLE ${REBUILD_SCHEMA}.${table} (LIKE ${schema}.${table} INCLUDING ALL)`);
  }
  // The live one is never asked for by message.
  await client.query(`CREATE INDEX ON ${REBUILD_SCHEMA}.media_use (message_id)`);
  await client.query(
    `INSERT INTO ${REBUILD_SCHEMA}.partition_progress (partition) SELECT generate_series(0, $1::int - 1)`,
    [partitions],
  );
  await client.query(`CREATE TABLE ${REBUILD_SCHEMA}.aim (aim text NOT NULL)`);
  await client.query(`INSERT INTO ${REBUILD_SCHEMA}.aim VALUES ($1)`, [wanted]);
  await client.query('COMMIT');
  return false;
}
