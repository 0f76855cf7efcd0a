import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Conversation, Message } from '@parley/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administer, type EngineNode, type StartedEngines, startEngines } from '../../scripts/engines/index.mjs';
import { type EngineNames, takeEngineNames } from '../clients/cluster/engine-names.js';
import { RoleGroup } from '../clients/cluster/role-group.js';
import { TestUser } from '../clients/test-user.js';

const run = promisify(execFile);
/** More than this test needs between its back-up and the restore. */
const TRANSACTIONS_SINCE = 600;
const CAUGHT_UP = { timeout: 60_000, interval: 250 };

/** A Postgres of this test alone, whose data are put back to an earlier time; Kafka and Cassandra go on as they are. */
describe('Postgres, back at a back-up of before', () => {
  let engines: StartedEngines;
  let postgres: EngineNode;
  let names: EngineNames;
  let group: RoleGroup;
  beforeAll(async () => {
    engines = await startEngines(['postgres']);
    postgres = engines.nodes[0]!;
    names = await takeEngineNames({ ...process.env, ...engines.env } as Record<string, string>);
    group = await RoleGroup.prepare(
      { workers: 1, apis: 1 },
      {
        ...names.environment,
        PROFILE: 'cluster',
        PARTITIONS: '4',
        AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
        RATE_LIMITS: 'off',
      },
    );
    await start();
  }, 240_000);
  afterAll(async () => {
    await group?.destroy();
    await names?.drop().catch(() => {});
    await engines?.stop();
  }, 60_000);

  async function start(): Promise<void> {
    for (const role of ['worker', 'api'] as const) {
      for (const process of group.of(role)) await group.startOne(process);
    }
  }

  async function dataFolder(): Promise<string> {
    const client = new pg.Client({ connectionString: engines.env['POSTGRES_ADMIN_URL'] });
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    return rows[0]!.data_directory;
  }

  /** Everything stands still meanwhile, as docs/operations.md has it. */
  async function whileStopped(work: () => Promise<unknown>): Promise<void> {
    await group.stop();
    await postgres.stop();
    await work();
    await postgres.start();
  }

  const databaseUrl = (): string => names.environment['DATABASE_URL'] ?? '';

  async function takeAnotherIdentity(): Promise<void> {
    const admin = engines.env['POSTGRES_ADMIN_URL'] ?? '';
    const name = new URL(databaseUrl()).pathname.slice(1);
    await administer(admin, `ALTER DATABASE ${name} RENAME TO ${name}_restored`);
    await administer(admin, `CREATE DATABASE ${name} TEMPLATE ${name}_restored`);
    await administer(admin, `DROP DATABASE ${name}_restored`);
  }

  interface Seen {
    conversation: Conversation;
    messages: Message[];
  }

  async function seenBy(user: TestUser, conversationIds: readonly string[]): Promise<Seen[]> {
    const seen: Seen[] = [];
    for (const id of conversationIds) {
      const { items } = await user.history(id, '?limit=100');
      seen.push({ conversation: await user.conversation(id), messages: items });
    }
    return seen;
  }

  it('has all that was decided since again, by deciding the log again, and goes on from there', async () => {
    const url = group.of('api')[0]!.url;
    const [ada, bob, cy] = [await TestUser.signUp(url), await TestUser.signUp(url), await TestUser.signUp(url)];
    const rooms = await Promise.all(Array.from({ length: 6 }, () => ada.group([bob])));
    const ids = rooms.map(({ conversationId }) => conversationId);
    const [first, second, third] = ids as [string, string, string];
    for (const id of ids) await ada.sendMany(id, 3, 'before');
    const earlier = (await ada.history(first)).items;
    const copy = `${await dataFolder()}-back-up`;
    await whileStopped(() => run('cp', ['-a', copy.replace(/-back-up$/, ''), copy]));
    await start();

    for (const id of ids) await ada.sendMany(id, 4, 'since');
    const path = `/v1/conversations/${first}/messages`;
    expect(
      (await ada.rest.call('PATCH', `${path}/${earlier[0]!.messageId}`, { body: { content: 'edited' } })).status,
    ).toBe(200);
    expect((await ada.rest.call('DELETE', `${path}/${earlier[1]!.messageId}`)).status).toBe(200);
    await ada.members(second, { add: [cy.userId], remove: [bob.userId] });
    await bob.read(third, (await bob.history(third)).items[0]!.messageId);
    const made = await bob.group([cy], 'made since');
    await bob.send(made.conversationId, 'in it');
    const repeated = { content: 'once', clientMsgId: randomUUID() };
    const once = await ada.rest.call('POST', path, { body: repeated });
    expect(once.status).toBe(201);
    const before = [await seenBy(ada, ids), await seenBy(bob, [first, third, made.conversationId])];
    const synced = await bob.sync();

    await whileStopped(async () => {
      const folder = copy.replace(/-back-up$/, '');
      await rm(folder, { recursive: true });
      await run('mv', [copy, folder]);
    });
    await takeAnotherIdentity();
    await start();
    await expect
      .poll(async () => [await seenBy(ada, ids), await seenBy(bob, [first, third, made.conversationId])], CAUGHT_UP)
      .toEqual(before);
    await expect(bob.history(second)).rejects.toThrow(/40[34]/);

    const again = await ada.rest.call('POST', path, { body: repeated });
    expect([again.status, again.json]).toEqual([200, once.json]);
    const next = await ada.send(first, 'after all that');
    expect(next.seq).toBe((once.json as Message).seq + 1);

    // Transactions have the numbers again that positions of the lost time are made of: none of those may count.
    const client = new pg.Client({ connectionString: databaseUrl() });
    await client.connect();
    for (let i = 0; i < TRANSACTIONS_SINCE; i += 1) await client.query('SELECT pg_current_xact_id()');
    await client.end();
    const told = (await bob.sync({ since: synced.syncedAt })).conversations.map(({ conversation }) => conversation);
    expect(told.find(({ conversationId }) => conversationId === first)?.lastSeq).toBe(next.seq);
  }, 240_000);
});
