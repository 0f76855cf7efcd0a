import { type LogRecord, partitionOf } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { commandLogContract } from '../../../../domain/src/ports/command-log.port.contract.js';
import { sendRecord } from '../../../../domain/src/ports/testing/send-record.js';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { PostgresCommandLog } from './postgres-command-log.js';

const PARTITIONS = 4;
const idOf = (i: number): string => `0190a6c4-5f3e-7a41-9d2b-${String(i).padStart(12, '0')}`;
const FIRST = idOf(0);

commandLogContract('Postgres', async () => {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 4 });
  const partitions = await new PostgresPartitionLeases(database.pool).ensurePartitions(8);
  const log = await PostgresCommandLog.open({
    pool: database.pool,
    url: server.url,
    partitions,
    pendingRecordsMax: 1_000,
  });
  const close = async (): Promise<void> => {
    await log.close();
    await database.close();
    await server.stop();
  };
  return { log, start: new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0])), close };
});

describe('a command log in Postgres, shared by processes', () => {
  let server: TestPostgres;
  let database: Database;
  const opened: PostgresCommandLog[] = [];
  const start = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));
  const partition = partitionOf(FIRST, PARTITIONS);

  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 10 });
    await new PostgresPartitionLeases(database.pool).ensurePartitions(PARTITIONS);
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });
  beforeEach(async () => {
    for (const log of opened.splice(0)) await log.close();
    await database.pool.query('TRUNCATE command_log, command_log_end');
    await database.pool.query('UPDATE partition_progress SET next_offset = 0');
  });
  afterAll(async () => {
    for (const log of opened) await log.close();
  });

  async function open(pendingRecordsMax = 10_000): Promise<PostgresCommandLog> {
    const log = await PostgresCommandLog.open({
      pool: database.pool,
      url: server.url,
      partitions: PARTITIONS,
      pendingRecordsMax,
    });
    opened.push(log);
    return log;
  }

  it('gives offsets in the order of commits, so that a reader beside many writers skips nothing', async () => {
    const [reader, ...writers] = [await open(), await open(), await open(), await open()];
    const records = Array.from({ length: 1_200 }, (_, i) => sendRecord(idOf(i % 24)));
    const writing = Promise.all(
      writers.map(async (log, writer) => {
        const mine = records.filter((_, i) => i % writers.length === writer);
        for (let i = 0; i < mine.length; i += 8) await log.append(mine.slice(i, i + 8));
      }),
    );
    const read: LogRecord[] = [];
    const positions = new Map(start);
    await vi.waitFor(
      async () => {
        for (const record of await reader.read(positions, 50, 100)) {
          expect(record.offset).toBe(positions.get(record.partition));
          positions.set(record.partition, record.offset + 1);
          read.push(record);
        }
        expect(read).toHaveLength(records.length);
      },
      { timeout: 20_000, interval: 1 },
    );
    await writing;
    const ids = read.map(({ record }) => record?.commandId);
    expect(new Set(ids)).toEqual(new Set(records.map(({ commandId }) => commandId)));
  });

  it('wakes a reader in another process at once', async () => {
    const [reader, writer] = [await open(), await open()];
    // The first wait opens the connection that listens.
    await vi.waitFor(async () => {
      await reader.read(start, 10, 50);
      const { rows } = await database.pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = 'parley-log' AND datname = current_database() AND query LIKE 'LISTEN%'",
      );
      expect(rows.length).toBeGreaterThan(0);
    });
    const reading = reader.read(start, 10, 20_000);
    const record = sendRecord(FIRST);
    const began = performance.now();
    await writer.append([record]);
    expect((await reading).map((read) => read.record)).toEqual([record]);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('looks for itself while it hears nothing, and listens again afterwards', async () => {
    const [reader, writer] = [await open(), await open()];
    const positions = new Map(start);
    const hears = async (): Promise<void> => {
      const reading = reader.read(positions, 10, 20_000);
      await writer.append([sendRecord(FIRST)]);
      const [read] = await reading;
      expect(read?.offset).toBe(positions.get(partition));
      positions.set(partition, (read?.offset ?? 0) + 1);
    };
    await hears();
    const began = performance.now();
    for (let cut = 0; cut < 3; cut += 1) {
      await database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'parley-log' AND datname = current_database()",
      );
      await hears();
    }
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('refuses more than may wait, and takes more once that is written', async () => {
    const log = await open(3);
    const first = log.append([sendRecord(FIRST), sendRecord(FIRST)]);
    await expect(log.append([sendRecord(FIRST), sendRecord(FIRST)])).rejects.toMatchObject({ code: 'overloaded' });
    await first;
    await log.append([sendRecord(FIRST), sendRecord(FIRST)]);
    expect(await log.read(start, 10, 0)).toHaveLength(4);
  });

  it('answers store_unavailable within three seconds when the database is silent, also those behind', async () => {
    const log = await open();
    const holder = await database.pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT * FROM command_log_end FOR UPDATE');
      const began = performance.now();
      const first = log.append([sendRecord(FIRST)]);
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      const behind = log.append([sendRecord(FIRST)]);
      await expect(first).rejects.toMatchObject({ code: 'store_unavailable', retryAfterMs: expect.any(Number) });
      await expect(behind).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(performance.now() - began).toBeLessThan(4_000);
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    await log.append([sendRecord(FIRST, 'after')]);
    // The one that was given up may be in by now, as its sender was told.
    const contents = (await log.read(start, 10, 1_000)).map(({ payload }) => payload);
    expect(contents.join()).toContain('"content":"after"');
  });

  it('goes on behind what the embedded profile has journaled and decided, never earlier in time', async () => {
    const future = new Date(Date.now() + 3_600_000);
    await database.pool.query("INSERT INTO command_log VALUES ($1, 6, $2, '{}')", [partition, future]);
    await database.pool.query('UPDATE partition_progress SET next_offset = 7');
    const log = await open();
    await log.append([sendRecord(FIRST)]);
    const from = new Map(Array.from({ length: PARTITIONS }, (_, p) => [p, 7]));
    const [read] = await log.read(from, 10, 0);
    expect(read).toMatchObject({ partition, offset: 7, at: future.getTime() });
    // And once more, after the embedded profile had it for a while.
    await database.pool.query('UPDATE partition_progress SET next_offset = 20');
    const again = await open();
    await again.append([sendRecord(FIRST)]);
    expect((await again.read(new Map([[partition, 20]]), 10, 0))[0]?.offset).toBe(20);
  });

  it('bounds an answer in bytes, and says how much is left', async () => {
    const log = await open();
    const records = Array.from({ length: 30 }, () => sendRecord(FIRST, 'x'.repeat(900_000)));
    for (const record of records) await log.append([record]);
    const page = await log.read(start, 1_000, 0);
    expect(page.length).toBeGreaterThan(1);
    expect(page.length).toBeLessThan(12);
    expect(log.lag()).toBe(records.length - page.length);
  });
});
