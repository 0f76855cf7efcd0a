import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres } from './embedded-postgres.js';
import { isAlive, HolderProcess } from './testing/holder-process-runner.js';
import { copyTestCluster } from './testing.js';

describe('after a crash', () => {
  let parent: string;
  let dataDir: string;
  const log = vi.fn<(level: string, message: string) => void>();
  const servers: EmbeddedPostgres[] = [];
  const processes: HolderProcess[] = [];
  const strangers: ChildProcess[] = [];

  const start = async (folder = dataDir): Promise<EmbeddedPostgres> => {
    const server = await startEmbeddedPostgres({ dataDir: folder, log, stopTimeoutMs: 5_000 });
    servers.push(server);
    return server;
  };

  const run = (what: 'start' | 'exit', options: { ownGroup?: boolean } = {}): HolderProcess => {
    const started = new HolderProcess(what, dataDir, options);
    processes.push(started);
    return started;
  };

  const query = async (url: string, text: string): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client
      .query(text)
      .then(({ rows }) => rows as unknown[])
      .finally(() => client.end());
  };

  const gone = (pid: number): Promise<void> =>
    vi.waitFor(async () => expect(await isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 });

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'parley crash '));
    dataDir = join(parent, 'data');
    await mkdir(dataDir);
    await copyTestCluster(dataDir);
    log.mockClear();
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await Promise.all(processes.splice(0).map((one) => one.kill()));
    for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
    await rm(parent, { recursive: true, force: true });
  });

  it('of the application, the next start stops the orphaned server and finds what was committed', async () => {
    const killed = run('start');
    const { serverPid = 0, url = '' } = await killed.line();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const open = new pg.Client({ connectionString: url });
    open.on('error', () => undefined);
    await open.connect();
    await open.query('BEGIN; INSERT INTO kept VALUES (43)');
    await killed.kill();
    expect(await isAlive(serverPid)).toBe(true);

    const server = await start();
    expect(await isAlive(serverPid)).toBe(false);
    expect(await query(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(log).toHaveBeenCalledWith('warn', expect.stringContaining(`(pid ${serverPid})`));
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });

  it('of the application, an orphan is found though the folder was renamed under it', async () => {
    const killed = run('start');
    const { serverPid = 0 } = await killed.line();
    await killed.kill();
    await rename(dataDir, join(parent, 'renamed'));
    const server = await start(join(parent, 'renamed'));
    expect(await isAlive(serverPid)).toBe(false);
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('of application and server, the log is replayed, although their process ids belong to others by now', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    await first.stop();

    // Under the server's user: a process of anybody else the server itself does not take for a server.
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore', uid, gid });
    strangers.push(stranger);
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await writeFile(pidFile, text.replace(/^\d+/, `${stranger.pid}`));

    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('not properly shut down');
  });

  it('leaves the server of another data folder alone, although its process id stands in ours', async () => {
    const other = await start(join(parent, 'other'));
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    await first.stop();
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await writeFile(pidFile, text.replace(/^\d+/, `${other.pid}`));
    await start();
    expect(await query(other.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('of the server, the listeners hear of it and a new start works at once, with connections still open', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const clients = Array.from({ length: 5 }, () => new pg.Client({ connectionString: first.url }));
    for (const client of clients) client.on('error', () => undefined);
    await Promise.all(clients.map((client) => client.connect()));
    const why = new Promise<string>((resolve) => first.onUnexpectedExit(resolve));
    process.kill(first.pid, 'SIGKILL');
    expect(await why).toContain('signal SIGKILL');
    const late = new Promise<string>((resolve) => first.onUnexpectedExit(resolve));
    expect(await late).toBe(await why);

    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('of the server, a new start waits for a child that still holds the memory', async () => {
    const first = await start();
    const client = new pg.Client({ connectionString: first.url });
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const child = rows[0]?.pid ?? 0;
    process.kill(child, 'SIGSTOP');
    process.kill(first.pid, 'SIGKILL');
    await gone(first.pid);
    await first.stop();
    const starting = start();
    const refused = async (): Promise<void> =>
      expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('pre-existing shared memory block');
    await vi.waitFor(refused, 10_000).finally(() => process.kill(child, 'SIGCONT'));
    expect(await query((await starting).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('in the middle of making the database, the next start makes it anew', async () => {
    await rm(join(dataDir, 'postgres'), { recursive: true });
    const killed = run('start');
    await vi.waitFor(
      async () => {
        const names = await readdir(dataDir);
        const work = names.find((name) => name.startsWith('postgres.init-'));
        expect(await readdir(join(dataDir, work ?? '', 'data', 'base'))).not.toEqual([]);
      },
      { timeout: 10_000, interval: 2 },
    );
    await killed.kill();
    expect(await readdir(dataDir)).not.toContain('postgres');
    const server = await start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await readdir(dataDir)).filter((name) => name.includes('init'))).toEqual([]);
  });

  it('an exit of the application without a stop takes the server down in order', async () => {
    const { serverPid = 0 } = await run('exit').line();
    await gone(serverPid);
    const server = await start();
    expect(await query(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain('not properly shut down');
  });

  it('a Ctrl-C in the application’s terminal does not reach the server', async () => {
    const application = run('start', { ownGroup: true });
    const { serverPid = 0, url = '' } = await application.line();
    const ended = new Promise((resolve) => application.child.once('exit', resolve));
    process.kill(-(application.child.pid ?? 0), 'SIGINT');
    await ended;
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await start();
    expect(await isAlive(serverPid)).toBe(false);
  });

  it('a server that does not shut down in time is stopped by force, and recovers', async () => {
    const first = await startEmbeddedPostgres({ dataDir, log, stopTimeoutMs: 100 });
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const stuck = new pg.Client({ connectionString: first.url });
    stuck.on('error', () => undefined);
    await stuck.connect();
    const { rows } = await stuck.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]?.pid ?? 0, 'SIGSTOP');
    await first.stop();
    expect(await isAlive(first.pid)).toBe(false);
    expect(log).toHaveBeenCalledWith('warn', expect.stringContaining('by force'));
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });
});
