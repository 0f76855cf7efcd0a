import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadConfiguration } from '@parley/infra/config';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runTool } from '../../apps/cli/src/run-tool.js';
import { openToolDatabase } from '../../apps/cli/src/tool-database.js';
import { buildIfStale } from '../../scripts/fresh-build.mjs';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { repositoryPath } from '../house/trial-repository.js';

interface Answer {
  code: number;
  said: string;
  complained: string;
}

const ENGINES_AWAY = {
  PROFILE: 'cluster',
  AUTH_JWT_SECRET: 'x'.repeat(32),
  DATABASE_URL: 'postgres://parley:secret-of-it@127.0.0.1:1/parley',
  KAFKA_BROKERS: '127.0.0.1:1',
  CASSANDRA_CONTACT_POINTS: '127.0.0.1:1',
  REDIS_URL: 'redis://127.0.0.1:1',
};

/** The tool as a process would run it, but for the process. */
async function parley(environment: Record<string, string>, ...args: string[]): Promise<Answer> {
  const [said, complained]: string[][] = [[], []];
  const say = (line: string): void => void said!.push(line);
  const complain = (line: string): void => void complained!.push(line);
  const code = await runTool(args, environment, { say, complain });
  return { code, said: said!.join('\n'), complained: complained!.join('\n') };
}

describe('the operator’s tool on the command line', () => {
  it.each([
    [[], 2, 'Usage: parley COMMAND'],
    [['--help'], 0, 'Usage: parley COMMAND'],
    [['repair'], 2, 'There is no command repair.'],
    [['doctor', 'now'], 2, 'doctor takes other words than these: now.'],
    [['lag', '--check'], 2, 'lag has no --check.'],
    [['rebuild', '--check', '--messages'], 2, 'take one of them'],
    [['doctor', '--please'], 2, '--please'],
  ] as const)('answers %o with %d and why', async (args, code, sentence) => {
    const answer = await parley({}, ...args);
    expect(answer.code).toBe(code);
    expect(answer.said + answer.complained).toContain(sentence);
  });

  it('lists what is wrong with the configuration and does nothing', async () => {
    const answer = await parley({ PORT: 'x', COMMAND_LOG: 'kafka' }, 'migrate');
    expect(answer.code).toBe(1);
    expect(answer.complained).toContain('PORT must be');
    expect(answer.complained).toContain('COMMAND_LOG=kafka needs KAFKA_BROKERS');
  });

  it('says which engine does not answer, of each', async () => {
    const { code, said } = await parley(ENGINES_AWAY, 'doctor');
    expect(code).toBe(1);
    for (const engine of ['Postgres', 'Kafka', 'Cassandra', 'Redis']) {
      expect(said).toMatch(new RegExp(`^PROBLEM  ${engine} does not answer: .+\\. Is it running`, 'm'));
    }
    expect(said).not.toContain('secret-of-it');
  });

  it('ends as it would have when nobody reads what it says any more', async () => {
    if (buildIfStale() !== 0) throw new Error('The build failed.');
    const tool = spawn(process.execPath, [repositoryPath('dist/apps/cli/main.js'), 'doctor'], {
      env: { PATH: process.env['PATH'], ...ENGINES_AWAY },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    tool.stdout.destroy();
    const [[code], complained] = await Promise.all([once(tool, 'exit'), text(tool.stderr)]);
    expect([code, complained]).toEqual([1, '']);
  }, 60_000);
});

describe('the operator’s tool on the data folder', { timeout: 120_000 }, () => {
  let environment: Record<string, string>;
  let folder: string;
  let app: TestApp;
  let ada: TestUser;
  let conversationId: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-test-postgres-cli-'));
    environment = { DATA_DIR: join(folder, 'data'), PARTITIONS: '4' };
  });
  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** With the server stopped. */
  async function sql(statement: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const database = await openToolDatabase(loadConfiguration(environment), 'change');
    try {
      return (await database.pool.query<Record<string, unknown>>(statement, values)).rows;
    } finally {
      await database.close();
    }
  }

  it('makes nothing when it only looks', async () => {
    const { code, said } = await parley(environment, 'doctor');
    expect(code).toBe(1);
    expect(said).toContain(`There is no database in ${environment['DATA_DIR']}`);
    expect(said).toContain(`its log is ${environment['DATA_DIR']}/postgres.log.`);
    expect(said).not.toContain('DATABASE_URL');
    expect(existsSync(environment['DATA_DIR']!)).toBe(false);
  });

  it('migrates an empty folder, and then has nothing to do', async () => {
    const first = await parley(environment, 'migrate');
    expect(first).toMatchObject({ code: 0, complained: '' });
    expect(first.said).toMatch(/^Postgres: applied accounts\d+, .+\.\nPartitions: 4, for life\.$/);
    expect((await parley(environment, 'migrate')).said).toMatch(/^Postgres: up to date\./);
  });

  it('finds nothing wrong with what it made', async () => {
    const { code, said } = await parley(environment, 'doctor');
    expect(said).toMatch(/^ok {7}Postgres \d+\.\d+\.$/m);
    expect(said).toContain('All is well.');
    expect(code).toBe(0);
  });

  it('takes the database server that it has started for itself along when it is stopped by a signal', async () => {
    const pidFile = join(environment['DATA_DIR']!, 'postgres', 'postmaster.pid');
    if (buildIfStale() !== 0) throw new Error('The build failed.');
    const tool = spawn(process.execPath, [repositoryPath('scripts/parley.mjs'), 'doctor'], {
      env: { PATH: process.env['PATH'], ...environment },
      stdio: 'ignore',
    });
    const ended = once(tool, 'exit');
    await vi.waitFor(() => expect(existsSync(pidFile)).toBe(true), { timeout: 30_000, interval: 1 });
    const server = Number.parseInt(await readFile(pidFile, 'utf8'), 10);
    // So that the tool cannot be faster than its end.
    process.kill(server, 'SIGSTOP');
    tool.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    process.kill(server, 'SIGCONT');
    await vi.waitFor(() => expect(existsSync(pidFile)).toBe(false), { timeout: 30_000, interval: 20 });
  });

  it('names settings with which a power cut loses messages, migrations that are unknown, and what was set aside', async () => {
    await sql(`INSERT INTO schema_migrations (timestamp, name) VALUES (1900000000000, 'Later1900000000000')`);
    await sql(`INSERT INTO dead_letter VALUES (0, 7, now(), 'no JSON', 'unreadable')`);
    await sql(`ALTER SYSTEM SET fsync = off`);
    const { code, said } = await parley(environment, 'doctor');
    expect(code).toBe(1);
    expect(said).toContain('PROBLEM  Postgres runs with fsync=off.');
    expect(said).toContain('PROBLEM  Postgres has migrations that this version does not know: Later1900000000000.');
    expect(said).toContain('PROBLEM  1 commands were set aside. See "parley dead-letters list".');
    for (const command of ['migrate', 'rebuild']) {
      const answer = await parley(environment, command);
      expect(answer).toMatchObject({
        code: 1,
        complained: expect.stringContaining('newer version of Parley') as string,
      });
    }
    await sql(`DELETE FROM schema_migrations WHERE name LIKE 'Later%'`);
    await sql('ALTER SYSTEM RESET fsync');
  });

  it('looks beside a running server, and changes nothing behind its back', async () => {
    app = await TestApp.start(environment);
    ada = await app.user('Ada');
    const bob = await app.user('Bob');
    conversationId = (await ada.group([bob])).conversationId;
    await ada.send(conversationId, 'hello');

    const lag = await parley(environment, 'lag');
    expect(lag.code).toBe(0);
    expect(lag.said.split('\n')).toHaveLength(1 + 4 + 1 + 2);
    expect(lag.said).toMatch(/^push +\d+ +0 +0 +1$/m);
    expect(lag.said).not.toContain('nobody');
    expect((await parley(environment, 'dead-letters', 'list')).said).toMatch(/^0:7 .* unreadable$/m);
    for (const args of [['rebuild'], ['migrate'], ['dead-letters', 'retry', '0:7']]) {
      const answer = await parley(environment, ...args);
      expect(answer.code).toBe(1);
      expect(answer.complained).toMatch(/is in use by another Parley process/);
    }
  });

  it('shows and drops a dead letter', async () => {
    expect((await parley(environment, 'dead-letters', 'show', '0:7')).said).toContain('"no JSON"');
    expect(await parley(environment, 'dead-letters', 'drop', '0:7')).toMatchObject({ code: 0 });
    for (const verb of ['show', 'drop']) {
      const gone = await parley(environment, 'dead-letters', verb, '0:7');
      expect(gone).toMatchObject({ code: 1, said: 'There is no dead letter at that place.' });
    }
    const odd = await parley(environment, 'dead-letters', 'show', 'push');
    expect(odd).toMatchObject({ code: 1, complained: expect.stringContaining('push is not the place') as string });
  });

  it('tries a command again that was set aside, once its reason is gone', async () => {
    const record = {
      version: 1,
      commandId: 'set-aside',
      conversationId,
      actorId: ada.userId,
      origin: { processId: 'gone', connectionId: null },
      submittedAt: 0,
      command: {
        type: 'send-message',
        clientMsgId: 'again',
        content: 'at last',
        contentType: 'text',
        media: [],
        replyToMessageId: null,
        requestHash: 'hash',
      },
    };
    await app.shutDown();
    await sql(`INSERT INTO dead_letter VALUES (1, 9, now(), $1, 'it broke'), (1, 10, now(), 'no JSON', 'unreadable')`, [
      JSON.stringify(record),
    ]);
    const unreadable = await parley(environment, 'dead-letters', 'retry', '1:10');
    expect(unreadable).toMatchObject({ code: 1, complained: expect.stringContaining('Nobody can read') as string });
    const retried = await parley(environment, 'dead-letters', 'retry', '1:9');
    expect(retried).toMatchObject({ code: 0, said: 'Decided: sent.' });
    expect(await sql('SELECT "offset" FROM dead_letter')).toEqual([{ offset: '10' }]);
    expect(await sql('SELECT content FROM message ORDER BY seq')).toEqual([
      { content: 'hello' },
      { content: 'at last' },
    ]);
  });

  it('tells of events that a handler gave up, has them tried again, and forgets them', async () => {
    const held = `INSERT INTO event_handler_held (handler, partition, "offset", index, conversation_id, recorded_at, payload, attempts, next_attempt_at, dead, last_error)
      VALUES ('push', 2, $1, 0, gen_random_uuid(), now(), '{}', 9, now(), true, 'nobody there')`;
    for (const offset of [5, 6]) await sql(held, [offset]);
    const list = await parley(environment, 'dead-letters', 'list');
    expect(list.said).toMatch(/^push:2:5:0 {2}\S+ {2}after 9 attempts {2}nobody there$/m);
    expect(list.said).toContain('1 commands, 2 events.');
    expect((await parley(environment, 'doctor')).said).toContain('PROBLEM  2 events were given up by handlers.');
    expect((await parley(environment, 'dead-letters', 'show', 'push:2:6:0')).said).toContain('"offset": 6');
    expect(await parley(environment, 'dead-letters', 'retry', 'push:2:5:0')).toMatchObject({ code: 0 });
    expect(await parley(environment, 'dead-letters', 'drop', 'push:2:6:0')).toMatchObject({ code: 0 });
    for (const [verb, place] of [
      ['show', 'push:2:5:0'],
      ['retry', 'push:2:6:0'],
    ] as const) {
      expect(await parley(environment, 'dead-letters', verb, place)).toMatchObject({ code: 1 });
    }
    expect(await sql('SELECT "offset", dead FROM event_handler_held')).toEqual([{ offset: '5', dead: false }]);
    for (const offset of [7, 8]) await sql(held, [offset]);
    expect((await parley(environment, 'lag')).said).toMatch(/^push +\d+ +1 +2 +0$/m);
    expect((await parley(environment, 'dead-letters', 'list', 'webhook')).said).toBe('0 commands, 0 events.');
    expect((await parley(environment, 'dead-letters', 'list', 'push')).said).toContain('0 commands, 2 events.');
    expect(await parley(environment, 'dead-letters', 'retry', 'push')).toMatchObject({
      code: 0,
      said: 'The handler push tries 2 again, with all attempts.',
    });
    for (const verb of ['retry', 'drop']) {
      const none = await parley(environment, 'dead-letters', verb, 'push');
      expect(none).toMatchObject({ code: 1, said: 'There is no dead letter of a handler push.' });
    }
    await sql(held, [9]);
    expect(await parley(environment, 'dead-letters', 'drop', 'push')).toMatchObject({ code: 0, said: '1 forgotten.' });
    await sql('DELETE FROM event_handler_held');
  });

  it('makes the read models of a stopped server anew', async () => {
    await sql(`UPDATE conversation SET last_preview = 'spoiled'`);
    const check = await parley(environment, 'rebuild', '--check');
    expect(check.code).toBe(1);
    expect(check.said).toContain('Different from the event stream: 1 conversations, 0 members,');
    const done = await parley(environment, 'rebuild', '--messages', '--conversation', conversationId);
    expect(done).toMatchObject({ code: 0 });
    expect(done.said).toContain('Put right: 1 conversations, 0 members,');
    expect(await sql('SELECT last_preview FROM conversation')).toEqual([{ last_preview: 'at last' }]);
    expect((await parley(environment, 'rebuild', '--check')).code).toBe(0);
    const odd = await parley(environment, 'rebuild', '--conversation', 'all');
    expect(odd).toMatchObject({ code: 1, complained: 'all is not the id of a conversation.' });
  });

  it('has left a database that the server goes on with', async () => {
    const again = await TestApp.start(environment);
    try {
      const page = await fetch(`${again.url}/v1/conversations/${conversationId}/messages`, {
        headers: { authorization: `Bearer ${ada.session.accessToken}` },
      });
      const { items } = (await page.json()) as { items: { content: string; seq: number }[] };
      expect(items.map(({ content, seq }) => [seq, content])).toEqual([
        [2, 'at last'],
        [1, 'hello'],
      ]);
    } finally {
      await again.stop();
    }
  });
});
