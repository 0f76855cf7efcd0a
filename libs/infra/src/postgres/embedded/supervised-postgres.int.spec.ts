import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataDirLock } from './data-dir-lock.js';
import { startSupervisedPostgres, type SupervisedPostgres } from './supervised-postgres.js';
import { copyTestCluster } from './testing.js';

describe('the supervised database server', () => {
  let folder: string;
  let lock: DataDirLock;
  let postgres: SupervisedPostgres | undefined;
  const messages: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-supervised-'));
    await copyTestCluster(folder);
    lock = await DataDirLock.acquire(folder);
    messages.length = 0;
  });
  afterEach(async () => {
    await postgres?.stop();
    await lock.release();
    await rm(folder, { recursive: true, force: true });
  });

  async function start(onLost: (error: Error) => void): Promise<SupervisedPostgres> {
    postgres = await startSupervisedPostgres({
      dataDir: folder,
      lock,
      fsync: false,
      log: (_level, message) => messages.push(message),
      onLost,
    });
    return postgres;
  }

  async function serverPid(): Promise<number> {
    const text = await readFile(join(folder, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
    return Number.parseInt(text, 10);
  }

  it('is back at the same address soon after it was killed', async () => {
    const onLost = vi.fn<(error: Error) => void>();
    const { url } = await start(onLost);
    const first = await serverPid();
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(messages).toContain('The database server was started again.'), { timeout: 10_000 });
    expect(await serverPid()).not.toBe(first);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(onLost).not.toHaveBeenCalled();
  });

  it('stays stopped when it was stopped on purpose', async () => {
    const { stop } = await start(() => {});
    await stop();
    expect(messages.some((message) => message.includes('again'))).toBe(false);
    expect(await serverPid()).toBeNaN();
  });

  it('is given up when it does not stay up', async () => {
    const onLost = vi.fn<(error: Error) => void>();
    await start(onLost);
    const first = await serverPid();
    await rm(join(folder, 'postgres', 'PG_VERSION'));
    process.kill(first, 'SIGKILL');
    await vi.waitFor(() => expect(onLost).toHaveBeenCalledOnce(), { timeout: 20_000 });
    expect(onLost.mock.calls[0]![0].message).toBe('The bundled database server does not stay up.');
  });
});
