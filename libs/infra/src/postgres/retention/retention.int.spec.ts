import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { Retention } from './retention.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 10, 22);
const ID = '00000000-0000-4000-8000-00000000d001';

describe('retention', () => {
  let server: TestPostgres;
  let database: Database;
  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 2 });
    await new PostgresPartitionLeases(database.pool).ensurePartitions(2);
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  const count = async (table: string): Promise<number> =>
    Number((await database.pool.query<{ count: string }>(`SELECT count(*) FROM ${table}`)).rows[0]?.count);
  const ago = (days: number): Date => new Date(NOW - days * DAY_MS);

  it('deletes what has outlived its time, in as many pieces as it takes, and nothing else', async () => {
    const { pool } = database;
    for (const [days, from, to] of [
      [8, 0, 4_999],
      [6, 5_000, 5_009],
    ] as const) {
      await pool.query(`INSERT INTO command_log SELECT 1, n, $1, '{}' FROM generate_series($2::int, $3::int) AS n`, [
        ago(days),
        from,
        to,
      ]);
    }
    await pool.query('UPDATE partition_progress SET next_offset = 5000 WHERE partition = 1');
    const key = `INSERT INTO sent_key VALUES ($1, $1, $2, 1, 1, 1, $3, 'h')`;
    await pool.query(key, [ID, 'old', ago(41)]);
    await pool.query(key, [ID, 'still needed', ago(29)]);
    const advance = `INSERT INTO receipt_advance (conversation_id, at, user_ids, delivered_seqs, read_seqs) VALUES ($1, $2, '{}', '{}', '{}')`;
    await pool.query(advance, [ID, ago(31)]);
    await pool.query(advance, [ID, ago(29)]);
    const message = `INSERT INTO push_message (conversation_id, slot, seq, message_id, sent_at) VALUES ($1, $2::int, 1, 1, $3)`;
    await pool.query(message, [ID, 1, ago(1.1)]);
    await pool.query(message, [ID, 2, ago(0.9)]);
    const retention = new Retention(pool, () => {});
    // The last decided command stays.
    expect(await retention.round(NOW)).toBe(5_002);
    expect([await count('command_log'), await count('sent_key'), await count('receipt_advance')]).toEqual([11, 1, 1]);
    expect(await count('push_message')).toBe(1);
    expect(await retention.round(NOW)).toBe(0);
  });

  it('keeps commands that were not decided, however old they are', async () => {
    const { pool } = database;
    await pool.query('DELETE FROM command_log');
    await pool.query('UPDATE partition_progress SET next_offset = 3 WHERE partition = 1');
    await pool.query("INSERT INTO command_log SELECT 1, n, $1, '{}' FROM generate_series(0, 9) AS n", [ago(30)]);
    await new Retention(pool, () => {}).round(NOW);
    const { rows } = await pool.query<{ offset: number }>('SELECT "offset"::int FROM command_log ORDER BY "offset"');
    expect(rows.map(({ offset }) => offset)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
