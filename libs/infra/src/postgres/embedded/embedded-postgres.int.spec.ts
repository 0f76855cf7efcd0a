import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DataDirLock } from './data-dir-lock.js';
import { DataDirBusyError, EmbeddedPostgresError } from './embedded-postgres-error.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres } from './embedded-postgres.js';
import { isAlive, HolderProcess } from './testing/holder-process-runner.js';
import { copyTestCluster } from './testing.js';

const log = (): void => undefined;

async function query(url: string, ...args: [string, unknown[]?]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client
    .query(...args)
    .then(({ rows }) => rows as Record<string, unknown>[])
    .finally(() => client.end());
}

describe('the bundled server', () => {
  let parent: string;
  let dataDir: string;
  let server: EmbeddedPostgres;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley server '));
    dataDir = join(parent, 'data');
    server = await startEmbeddedPostgres({ dataDir, log });
  });

  afterAll(async () => {
    await server.stop();
    await rm(parent, { recursive: true, force: true });
  });

  it('answers pg and TypeORM, by URL and by fields', async () => {
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const { host, port, user: username, password, database } = server.connection;
    for (const place of [{ url: server.url }, { host, port, username, password, database }]) {
      const source = await new DataSource({ type: 'postgres', ...place }).initialize();
      expect(await source.query('SELECT 2 AS two')).toEqual([{ two: 2 }]);
      await source.destroy();
    }
  });

  it('keeps what is acknowledged: every setting that durability rests on is on', async () => {
    const rows = await query(
      server.url,
      `SELECT name, setting FROM pg_settings
       WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums', 'autovacuum', 'jit',
                      'max_connections', 'checkpoint_timeout', 'max_wal_size', 'listen_addresses', 'server_encoding')`,
    );
    expect(Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      data_checksums: 'on',
      autovacuum: 'on',
      jit: 'off',
      max_connections: '40',
      checkpoint_timeout: '900',
      max_wal_size: '2048',
      listen_addresses: '',
      server_encoding: 'UTF8',
    });
  });

  it('wants the password, which only its user may read', async () => {
    const wrong = server.url.replace(server.connection.password, 'wrong');
    await expect(query(wrong, 'SELECT 1')).rejects.toThrow('password authentication failed');
    const file = join(dataDir, 'postgres', 'parley-password');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).trim()).toBe(server.connection.password);
    for (const name of ['postgres', 'run']) expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o700);
    expect((await stat(dataDir)).mode & 0o067).toBe(0);
  });

  it('does not run as root', async () => {
    const status = await readFile(`/proc/${server.pid}/status`, 'utf8');
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    expect(uid).not.toBe(0);
    expect((await stat(join(dataDir, 'postgres'))).uid).toBe(uid);
  });

  it('writes no statement, value or parameter of a client into its log', async () => {
    await query(server.url, 'CREATE TABLE secret (body text PRIMARY KEY)');
    const insert = (): Promise<unknown> => query(server.url, 'INSERT INTO secret VALUES ($1)', ['hush-hush']);
    await insert();
    await expect(insert()).rejects.toThrow('duplicate key');
    await expect(query(server.url, "SELECT 'hush-hush'::int")).rejects.toThrow('hush-hush');
    await expect(query(server.url, 'SELECT $1::jsonb', ['hush-hush'])).rejects.toThrow('json');
    await query(server.url, 'CHECKPOINT');
    const file = join(dataDir, 'postgres.log');
    await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('checkpoint complete'), 5_000);
    expect(await readFile(file, 'utf8')).not.toContain('hush-hush');
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it('is refused to a second start, which leaves the first one’s server alone', async () => {
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toThrow(DataDirBusyError);
    const other = new HolderProcess('start', dataDir);
    expect(await other.line()).toMatchObject({ refused: 'DataDirBusyError' });
    await other.end();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a start', () => {
  let parent: string;
  const servers: EmbeddedPostgres[] = [];

  const start = async (dataDir: string, options: { lock?: DataDirLock } = {}): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir, log, ...options });
    servers.push(server);
    return server;
  };

  /** A data folder with a database in it, where making one is not the point. */
  const prepared = async (...names: string[]): Promise<string> => {
    const dataDir = join(parent, ...names);
    await mkdir(dataDir, { recursive: true });
    await copyTestCluster(dataDir);
    return dataDir;
  };

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley start '));
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
  });

  afterAll(async () => {
    await rm(parent, { recursive: true, force: true });
  });

  it('finds the data of the run before; a stop leaves neither process nor socket', async () => {
    const dataDir = join(parent, 'twice');
    const first = await start(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const unexpected = vi.fn<(why: string) => void>();
    first.onUnexpectedExit(unexpected);
    await Promise.all([first.stop(), first.stop()]);
    expect(await isAlive(first.pid)).toBe(false);
    await expect(stat(join(dataDir, 'run'))).rejects.toThrow('ENOENT');
    expect(unexpected).not.toHaveBeenCalled();

    const second = await start(dataDir);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(second.connection.password).toBe(first.connection.password);
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });

  it('works under a path that is too long for a socket, at the same place each time, and through a symbolic link', async () => {
    const dataDir = await prepared('l'.repeat(120), 'm'.repeat(120));
    const server = await start(dataDir);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    const { host } = server.connection;
    expect(Buffer.byteLength(host)).toBeLessThan(90);
    await server.stop();
    await expect(stat(host)).rejects.toThrow('ENOENT');

    await symlink(dataDir, join(parent, 'link'));
    const again = await start(join(parent, 'link'));
    expect(again.connection.host).toBe(host);
    expect(await query(again.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes a path full of characters that mean something elsewhere', async () => {
    const server = await start(join(parent, `it's "a", b%20;c\\d 'é`));
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('uses the application’s lock and leaves it with the application', async () => {
    const dataDir = await prepared('locked');
    const lock = await DataDirLock.acquire(dataDir);
    const server = await start(dataDir, { lock });
    await server.stop();
    await expect(DataDirLock.acquire(dataDir)).rejects.toThrow(DataDirBusyError);
    await lock.release();
  });

  it('takes data that was restored open to others, and closes it to them', async () => {
    const dataDir = await prepared('restored');
    await chmod(join(dataDir, 'postgres'), 0o775);
    const server = await start(dataDir);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
  });

  it('keeps what an operator has set, over a restart', async () => {
    const dataDir = await prepared('tuned');
    const first = await start(dataDir);
    await query(first.url, "ALTER SYSTEM SET work_mem = '9MB'");
    await first.stop();
    const second = await start(dataDir);
    expect(await query(second.url, 'SHOW work_mem')).toEqual([{ work_mem: '9MB' }]);
  });

  it('refuses data of another PostgreSQL, foreign files and a lost password with a sentence, and frees the folder', async () => {
    const dataDir = await prepared('refused');
    await (await start(dataDir)).stop();
    const refusal = async (): Promise<string> => {
      const error = await start(dataDir).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(EmbeddedPostgresError);
      expect(error).not.toBeInstanceOf(DataDirBusyError);
      return (error as Error).message;
    };
    const cluster = join(dataDir, 'postgres');
    await writeFile(join(cluster, 'PG_VERSION'), '15\n');
    expect(await refusal()).toMatch(/was made by PostgreSQL 15, but this Parley brings PostgreSQL 18/);
    await rm(join(cluster, 'PG_VERSION'));
    expect(await refusal()).toContain('is not a PostgreSQL database');
    await writeFile(join(cluster, 'PG_VERSION'), '18\n');
    await rm(join(cluster, 'parley-password'));
    expect(await refusal()).toContain('password');
    await writeFile(join(cluster, 'parley-password'), 'x\n');
    await writeFile(join(cluster, 'postgresql.conf'), 'no_such_setting = 1\n');
    expect(await refusal()).toMatch(/did not start .*no_such_setting/);
  });
});
