import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';
import { repositoryPath } from '../house/trial-repository.js';

const CONDITION_TIMEOUT_MS = 20_000;
/** Several starts of a server, on a machine that may have other work. */
const LIFE_TIMEOUT_MS = 90_000;
const started: StartedEngines[] = [];
const children: ChildProcess[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map((engines) => engines.stop()));
});

/** PostgreSQL stands for them all: it is the one that `npm ci` brings. */
async function startPostgres() {
  const engines = await startEngines(['postgres']);
  started.push(engines);
  const [node] = engines.nodes;
  if (!node) throw new Error('no engine was started');
  return { engines, node };
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000, query_timeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const answers = (url: string) =>
  query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + CONDITION_TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`This did not become true: ${condition.toString()}`);
    await wait(50);
  }
}

describe('an engine started for one process', { timeout: LIFE_TIMEOUT_MS }, () => {
  it('answers at the address in its variable, and is gone with its files after the stop', async () => {
    const { engines, node } = await startPostgres();
    expect(engines.env).toEqual({ POSTGRES_ADMIN_URL: node.address });
    expect(await query(node.address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await engines.stop();
    expect([await answers(node.address), existsSync(dirname(node.logFile))]).toEqual([false, false]);
  });

  it('comes back after a crash with its data and at its address', async () => {
    const { node } = await startPostgres();
    const { address, pid } = node;
    await query(address, 'CREATE TABLE kept AS SELECT 7 AS value');
    await node.kill();
    expect([node.isRunning, await answers(address)]).toEqual([false, false]);
    await node.start();
    expect(node.pid).not.toBe(pid);
    expect([node.address, await query(address, 'SELECT value FROM kept')]).toEqual([address, [{ value: 7 }]]);
  });

  it('says nothing while it is paused, and goes on afterwards', async () => {
    const { node } = await startPostgres();
    node.pause();
    expect([node.isRunning, await answers(node.address)]).toEqual([true, false]);
    node.resume();
    await until(() => answers(node.address));
  });

  it('can be stopped while it is paused', async () => {
    const { engines, node } = await startPostgres();
    node.pause();
    await engines.stop();
    expect(await answers(node.address)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('dies with a process that is killed; the next start clears up', async () => {
    const module = JSON.stringify(repositoryPath('scripts', 'engines', 'index.mjs'));
    const script = `import { startEngines } from ${module};
      const { nodes: [{ address, logFile }] } = await startEngines(['postgres']);
      process.stdout.write(JSON.stringify({ address, logFile }) + '\\n');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { address, logFile } = JSON.parse(line) as { address: string; logFile: string };
    expect(await answers(address)).toBe(true);
    child.kill('SIGKILL');
    await until(async () => !(await answers(address)));
    await startPostgres();
    expect(existsSync(dirname(logFile))).toBe(false);
  });

  it('is refused with the names that there are when it is unknown', async () => {
    await expect(startEngines(['mysql' as 'redis'])).rejects.toThrow(
      'There is no engine called mysql. There are: kafka, cassandra, redis, postgres, s3.',
    );
  });
});

describe('npm run engines', { timeout: LIFE_TIMEOUT_MS }, () => {
  const name = `test-${process.pid}`;
  const engines = (...args: readonly string[]) =>
    new Promise<{ code: number; out: string; said: string }>((resolve) => {
      const command = [repositoryPath('scripts', 'engines', 'cli.mjs'), ...args, '--set', name];
      execFile(process.execPath, command, (error, out, said) => resolve({ code: error ? 1 : 0, out, said }));
    });
  afterEach(() => engines('down'));

  it('leaves engines running that later commands find, crash and start again on their data', async () => {
    const up = await engines('up', 'postgres');
    const url = /^POSTGRES_ADMIN_URL=(.+)\n$/.exec(up.out)?.[1] ?? '';
    await query(url, 'CREATE TABLE kept AS SELECT 7 AS value');
    expect((await engines('status')).out).toMatch(/^postgres {2}pid \d+ {2}postgres:/);
    await engines('kill', 'postgres');
    expect((await engines('status')).out).toContain('postgres  not running');
    expect(await engines('up', 'postgres')).toMatchObject({ code: 0, out: up.out });
    expect(await query(url, 'SELECT value FROM kept')).toEqual([{ value: 7 }]);
    const folder = dirname(/What runs where: (.+)/.exec(up.said)?.[1] ?? '');
    expect(existsSync(join(folder, 'engines.json'))).toBe(true);
    expect((await engines('down')).said).toBe('stopped: postgres\n');
    expect([existsSync(folder), await answers(url)]).toEqual([false, false]);
  });

  it('starts an engine once for two that ask at the same time, and tells the second who is at it', async () => {
    const both = await Promise.all([engines('up', 'postgres'), engines('up', 'postgres')]);
    const refused = both.filter(({ code }) => code === 1);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.said).toMatch(/^Process \d+ is starting or stopping engines of this set: wait for it\.\n$/);
  });

  it('says what is wrong in a sentence and fails', async () => {
    expect(await engines('up', 'mysql')).toMatchObject({ code: 1, said: expect.stringMatching(/^There is no engine/) });
    expect(await engines('kill', 'redis')).toMatchObject({ code: 1, said: 'redis was not started in this set.\n' });
    expect(await engines('fly')).toMatchObject({ code: 1, said: expect.stringMatching(/^Usage: /) });
  });
});
