import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestPostgres } from '../../../libs/infra/src/postgres/embedded/testing.js';

const root = join(import.meta.dirname, '..', '..', '..');
const START_TIMEOUT_MS = 45_000;

class Run {
  stdout = '';
  stderr = '';
  readonly exit: Promise<number | null>;

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (part: string) => (this.stdout += part));
    child.stderr!.setEncoding('utf8').on('data', (part: string) => (this.stderr += part));
    this.exit = once(child, 'close').then(([code]) => code as number | null);
  }

  get readyLines(): string[] {
    return this.stdout.split('\n').filter((line) => line.startsWith('ready'));
  }

  /** The URL of the ready line. */
  async ready(): Promise<string> {
    await Promise.race([
      vi.waitFor(() => expect(this.readyLines).toHaveLength(1), { timeout: START_TIMEOUT_MS, interval: 20 }),
      this.exit.then((code) => {
        throw new Error(`ended with ${code} before it was ready: ${this.stderr}`);
      }),
    ]);
    return this.readyLines[0]!.split(' ')[1]!;
  }

  async stop(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exit;
  }
}

describe('npm start', () => {
  let dataDir: string;
  const runs: Run[] = [];

  beforeEach(async () => {
    dataDir = join(await mkdtemp(join(tmpdir(), 'parley start ')), 'data');
  });
  afterEach(async () => {
    for (const run of runs.splice(0)) {
      if (run.child.exitCode === null && run.child.signalCode === null) await run.stop('SIGTERM');
    }
    await rm(join(dataDir, '..'), { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  function start(environment: NodeJS.ProcessEnv = {}, stdout: 'pipe' | number = 'pipe'): Run {
    const child = spawn(process.execPath, [join(root, 'scripts', 'start.mjs')], {
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', DATA_DIR: dataDir, ...environment },
      stdio: ['ignore', stdout, 'pipe'],
    });
    const run = new Run(child);
    runs.push(run);
    return run;
  }

  async function postgresPid(): Promise<number> {
    const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
    return Number.parseInt(text, 10);
  }

  it('says once that it is ready and where, answers there, and ends cleanly with exit code 0', async () => {
    const run = start();
    const url = await run.ready();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    expect((await fetch(url)).status).toBe(200);
    const answer = await fetch(`${url}/metrics`);
    expect(await answer.text()).toMatch(/^websocket_connections 0$/m);
    expect(await postgresPid()).toBeGreaterThan(0);
    expect((await stat(join(dataDir, 'auth-jwt-secret'))).mode & 0o777).toBe(0o600);

    const began = performance.now();
    expect(await run.stop('SIGTERM')).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await postgresPid()).toBeNaN();
    expect(run.readyLines).toHaveLength(1);
    expect(run.stderr).not.toMatch(/error|warning/i);
  });

  it('finds everything at the next start, also after it was killed and left its database server behind', async () => {
    const first = start();
    const signUp = await call(await first.ready(), '/v1/auth/signup', {
      username: 'ada',
      password: 'correct horse battery',
      displayName: 'Ada',
    });
    expect(signUp.status).toBe(201);
    expect(await first.stop('SIGKILL')).toBeNull();

    const second = start();
    const url = await second.ready();
    expect((await call(url, '/v1/auth/login', { username: 'ada', password: 'correct horse battery' })).status).toBe(
      200,
    );
    expect(await second.stop('SIGINT')).toBe(0);
  });

  it('waits for a request that has begun, and ends at once at a second signal, with the code of that signal', async () => {
    const run = start();
    const { hostname, port } = new URL(await run.ready());
    const caller = connect(Number(port), hostname);
    caller.on('error', () => {});
    caller.write(
      `POST /v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{`,
    );
    await vi.waitFor(async () => {
      const text = await (await fetch(`http://${hostname}:${port}/metrics`)).text();
      expect(text).toMatch(/^nodejs_active_resources\{type="TCPSocketWrap"\} [2-9]/m);
    });
    run.child.kill('SIGTERM');
    await vi.waitFor(() => expect(run.stdout).toContain('"step":"readiness"'));
    expect(run.stdout).not.toContain('"step":"requests"');
    expect(await run.stop('SIGINT')).toBe(130);
    caller.destroy();
  });

  it('is ready again by itself after its database server was killed', async () => {
    const run = start();
    const url = await run.ready();
    const killed = await postgresPid();
    process.kill(killed, 'SIGKILL');
    await vi.waitFor(
      async () => {
        expect(await postgresPid()).not.toBe(killed);
        expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(await run.stop('SIGTERM')).toBe(0);
  });

  it('lists everything that is wrong with the configuration, starts nothing and ends with 1', async () => {
    const run = start({ PORT: 'eighty', LOG_LEVEL: 'loud', AUTH_EXTERNAL_JWT_SECRET: 'short' });
    expect(await run.exit).toBe(1);
    for (const name of ['PORT', 'LOG_LEVEL', 'AUTH_EXTERNAL_JWT_SECRET']) expect(run.stderr).toContain(`${name} must`);
    expect(run.stdout).toBe('');
    await expect(stat(dataDir)).rejects.toThrow('ENOENT');
  });

  it('says in a sentence that its port is taken, and leaves no database server behind', async () => {
    const other: Server = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const run = start({ PORT: String(port) });
    expect(await run.exit).toBe(1);
    expect(run.stderr.trim().split('\n').at(-1)).toBe(
      `Port ${port} of 127.0.0.1 is in use by another process: stop that one, or set PORT.`,
    );
    expect(run.readyLines).toEqual([]);
    expect(await postgresPid()).toBeNaN();
    other.close();
  });

  it('serves and ends in order although nothing that it logs can be written', async () => {
    const full = await open('/dev/full', 'w');
    const port = await freePort();
    const run = start({ PORT: String(port), LOG_LEVEL: 'debug' }, full.fd);
    await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200), {
      timeout: START_TIMEOUT_MS,
      interval: 100,
    });
    expect(await run.stop('SIGTERM')).toBe(0);
    expect(await postgresPid()).toBeNaN();
    await full.close();
  });

  it('refuses a data folder that another server holds, which goes on undisturbed', async () => {
    const first = start();
    const url = await first.ready();
    const second = start();
    expect(await second.exit).toBe(1);
    expect(second.stderr).toContain(dataDir);
    expect(second.stderr).not.toContain(' at ');
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('says in a sentence that a database of its own cannot be reached, without its password', async () => {
    const run = start({ DATABASE_URL: 'postgres://parley:hunter2@127.0.0.1:9/parley' });
    expect(await run.exit).toBe(1);
    expect(run.stderr).toMatch(/database that DATABASE_URL names cannot be used/);
    expect(run.stdout + run.stderr).not.toContain('hunter2');
  });

  it('ends within its time also while its start waits for something that does not come', async () => {
    const postgres = await startTestPostgres();
    const other = new pg.Client({ connectionString: postgres.url });
    await other.connect();
    // As another process that migrates for hours.
    await other.query('SELECT pg_advisory_lock(7233519401)');
    const run = start({ DATABASE_URL: postgres.url, SHUTDOWN_TIMEOUT_MS: '2000', SHUTDOWN_CRASH_TIMEOUT_MS: '1000' });
    await vi.waitFor(
      async () => {
        const { rowCount } = await other.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
        expect(rowCount).toBe(1);
      },
      { timeout: START_TIMEOUT_MS, interval: 50 },
    );
    const began = performance.now();
    expect(await run.stop('SIGTERM')).toBe(0);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect([run.readyLines, run.stderr]).toEqual([[], '']);
    await other.end();
    await postgres.stop();
  });

  it('shows figures only on METRICS_PORT when it is open to the network', async () => {
    const metricsPort = await freePort();
    const run = start({ HOST: '0.0.0.0', METRICS_PORT: String(metricsPort) });
    const url = await run.ready();
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    expect(await answer.text()).toMatch(/^websocket_connections 0$/m);
  });
  it('traces a request, its command and its statements when a collector is configured', async () => {
    let received = '';
    const collector = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (part: string) => (received += part));
      request.on('end', () => response.end('{}'));
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
    const { port } = collector.address() as AddressInfo;
    const run = start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });
    const person = { username: 'ada', password: 'correct horse battery', displayName: 'Ada Lovelace' };
    expect((await call(await run.ready(), '/v1/auth/signup', person)).status).toBe(201);
    expect(await run.stop('SIGTERM')).toBe(0);
    collector.close();
    for (const name of ['"POST /v1/auth/signup"', '"SignUp"', '"pg.query:INSERT']) expect(received).toContain(name);
    for (const secret of [person.password, person.displayName]) expect(received).not.toContain(secret);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function call(url: string, path: string, body: object): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
