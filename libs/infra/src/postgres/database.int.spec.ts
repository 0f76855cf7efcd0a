import { DomainError } from '@parley/domain';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from './database.js';
import { startTestPostgres, type TestPostgres } from './embedded/testing.js';
import { storeAnswer } from './store-answer.js';

const POLL = { timeout: 10_000, interval: 20 };
let server: TestPostgres;
const opened: Database[] = [];
const open = async (url = server.url) => {
  const database = await openDatabase({ url, poolSize: 2 });
  opened.push(database);
  return database;
};
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(async () => {
  for (const database of opened) await database.close();
  await server?.stop();
});

describe('database', () => {
  it('migrates once when three processes start at once, and not again', async () => {
    const databases = await Promise.all([open(), open(), open()]);
    const again = await open();
    for (const { pool } of [...databases, again]) {
      const { rows } = await pool.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY id');
      expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
      expect(rows[0]?.name).toBe('accounts0000000000001');
    }
  });

  it('records each opening as a start, in their order, and forgets those of more than 90 days ago', async () => {
    const { pool } = await open();
    const labels = async (): Promise<string[]> =>
      (await pool.query<{ label: string }>('SELECT label FROM server_start ORDER BY start_number')).rows.map(
        ({ label }) => label,
      );
    const before = await labels();
    await pool.query("UPDATE server_start SET started_at = now() - interval '91 days' WHERE label = $1", [before[0]]);
    await open();
    const after = await labels();
    expect(after.slice(0, -1)).toEqual(before.slice(1));
    expect(after).toHaveLength(before.length);
    expect(before).not.toContain(after.at(-1));
  });

  it('takes every migration back', async () => {
    const other = await startTestPostgres();
    const database = await openDatabase({ url: other.url, poolSize: 2 });
    for (const _ of database.dataSource.migrations) await database.dataSource.undoLastMigration();
    const { rows } = await database.pool.query(
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'`,
    );
    expect(rows).toEqual([]);
    await database.close();
    await other.stop();
  });

  it('gives every connection its time-outs and no whole-table plans', async () => {
    const { pool, dataSource } = await open();
    const settings = `SELECT current_setting('statement_timeout') AS st, current_setting('enable_seqscan') AS seq,
      current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('jit') AS jit`;
    const expected = [{ st: '10s', seq: 'off', idle: '15s', jit: 'off' }];
    expect((await pool.query(settings)).rows).toEqual(expected);
    expect(await dataSource.query(settings)).toEqual(expected);
  });

  it('survives the loss of its connections', async () => {
    const database = await open();
    await database.pool.query('SELECT 1');
    await open().then(({ pool }) =>
      pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
      ),
    );
    await expect
      .poll(() =>
        database.pool.query('SELECT 1').then(
          () => 'works',
          () => 'fails',
        ),
      )
      .toBe('works');
  });

  it('tells of an idle connection that breaks, and of none once it is being closed', async () => {
    const told = vi.fn<(error: Error) => void>();
    const { host, port } = server.connection;
    const ways: (() => void)[] = [];
    const between = createServer({ allowHalfOpen: true }, (client) => {
      const way = createConnection({ path: `${host}/.s.PGSQL.${port}`, allowHalfOpen: true });
      client.pipe(way).pipe(client);
      for (const socket of [client, way]) socket.on('error', () => {});
      // What the server says still arrives, and then the end.
      ways.push(() => client.unpipe(way).resume());
    }).listen(0, '127.0.0.1');
    await once(between, 'listening');
    const { user, password, database: name } = server.connection;
    const address = `postgres://${user}:${password}@127.0.0.1:${(between.address() as AddressInfo).port}/${name}`;
    const { pool } = await open();
    const end = (): Promise<unknown> =>
      pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-be-closed'");
    const connections = async (): Promise<number> =>
      (await pool.query("SELECT FROM pg_stat_activity WHERE application_name = 'to-be-closed'")).rowCount ?? 0;

    const database = await openDatabase({ url: address, applicationName: 'to-be-closed', onPoolError: told });
    await database.pool.query('SELECT 1');
    await end();
    await expect.poll(() => told.mock.calls.length, POLL).toBeGreaterThan(0);
    const ask = (): Promise<unknown> =>
      Promise.all([database.pool.query('SELECT 1'), database.dataSource.query('SELECT 1')]);
    await expect.poll(() => ask().then(connections, () => 0), POLL).toBeGreaterThanOrEqual(2);
    told.mockClear();
    // What the pools say goodbye with arrives too late.
    for (const hold of ways) hold();
    const goodbye = new Promise((resolve) => database.pool.once('remove', resolve));
    await database.close();
    expect(await connections()).toBeGreaterThanOrEqual(2);
    await end();
    await goodbye;
    await new Promise((resolve) => between.close(resolve));
    expect(told).not.toHaveBeenCalled();
  });

  it('may be closed twice', async () => {
    const database = await open();
    await database.close();
    await expect(database.close()).resolves.toBeUndefined();
  });
});

describe('store answers', () => {
  it('are `store_unavailable` with a time to come back when nobody listens', async () => {
    const gone = await open();
    await gone.close();
    const error = await storeAnswer(() => gone.pool.query('SELECT 1')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DomainError);
    expect(error).toMatchObject({ code: 'store_unavailable', retryAfterMs: 1_000 });
  });

  it('are `store_unavailable` in time from a server that says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as AddressInfo;
    const began = performance.now();
    await expect(openDatabase({ url: `postgres://u:p@127.0.0.1:${port}/x` })).rejects.toThrow(/timeout/i);
    expect(performance.now() - began).toBeLessThan(4_000);
    await expect(storeAnswer(() => new Promise(() => {}), 20)).rejects.toMatchObject({ code: 'store_unavailable' });
    silent.close();
  });

  it('let a mistake in a statement through as the bug it is', async () => {
    const { pool } = await open();
    await expect(storeAnswer(() => pool.query('SELECT nothing_of_the_kind'))).rejects.toThrow(/does not exist/);
  });
});
