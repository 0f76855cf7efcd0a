import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseBusyError, DatabaseLock } from './database-lock.js';
import { startTestPostgres, type TestPostgres } from './embedded/testing.js';

describe('the lock of a database', () => {
  let server: TestPostgres;
  let admin: pg.Client;
  beforeAll(async () => {
    server = await startTestPostgres();
    admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await server.stop();
  });

  const holders = async (): Promise<number[]> => {
    const { rows } = await admin.query<{ pid: number }>(
      "SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    return rows.map(({ pid }) => pid);
  };

  it('is refused to a second server, and free again when the first one lets go', async () => {
    const first = await DatabaseLock.acquire(server.url, () => {});
    await expect(DatabaseLock.acquire(server.url, () => {})).rejects.toBeInstanceOf(DatabaseBusyError);
    await first.release();
    const second = await DatabaseLock.acquire(server.url, () => {});
    await second.release();
  });

  it('is taken again when its connection breaks', async () => {
    const lock = await DatabaseLock.acquire(server.url, () => {});
    const [pid] = await holders();
    await admin.query('SELECT pg_terminate_backend($1)', [pid]);
    await vi.waitFor(async () => expect((await holders()).filter((holder) => holder !== pid)).toHaveLength(1), 5_000);
    expect(await holders()).not.toEqual([pid]);
    await lock.release();
    await vi.waitFor(async () => expect(await holders()).toEqual([]), 5_000);
  });

  it('tells its holder when another server was faster after that', async () => {
    const onLost = vi.fn<(error: Error) => void>();
    await DatabaseLock.acquire(server.url, onLost);
    // A connection that is ended holds its lock for a moment more, and its holder may be the faster one.
    const other = await vi.waitFor(async () => {
      for (const pid of await holders()) await admin.query('SELECT pg_terminate_backend($1)', [pid]);
      return DatabaseLock.acquire(server.url, () => {});
    }, 5_000);
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), 5_000);
    expect(onLost.mock.calls[0]?.[0]).toBeInstanceOf(DatabaseBusyError);
    await other.release();
  });

  it('is shared by the processes of a cluster, which keep out a server that works alone', async () => {
    const shared = [
      await DatabaseLock.acquire(server.url, () => {}, true),
      await DatabaseLock.acquire(server.url, () => {}, true),
    ];
    await expect(DatabaseLock.acquire(server.url, () => {})).rejects.toBeInstanceOf(DatabaseBusyError);
    for (const lock of shared) await lock.release();
    const alone = await DatabaseLock.acquire(server.url, () => {});
    await expect(DatabaseLock.acquire(server.url, () => {}, true)).rejects.toBeInstanceOf(DatabaseBusyError);
    await alone.release();
  });
});
