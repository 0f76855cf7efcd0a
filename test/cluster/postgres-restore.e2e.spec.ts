import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Conversation, Message } from '@parley/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { TestUser } from '../clients/test-user.js';

const run = promisify(execFile);
/** More than everything takes that happens between the restore and the last check. */
const TRANSACTIONS_LOST = 5_000;
const CAUGHT_UP = { timeout: 60_000, interval: 250 };

/** A Postgres of this test alone, whose data are put back to an earlier time; Kafka and Cassandra go on as they are. */
describe('Postgres, back at a back-up of before', () => {
  let cluster: TrialCluster;
  beforeAll(async () => {
    const environment = { COMMAND_LOG: 'kafka', EVENT_STREAM: 'kafka', MESSAGE_STORE: 'cassandra', PARTITIONS: '4' };
    cluster = await TrialCluster.start(['postgres'], { workers: 1, apis: 1 }, environment);
  }, 240_000);
  afterAll(async () => {
    await cluster?.stop();
  }, 60_000);

  const databaseUrl = (): string => cluster.environment['DATABASE_URL'] ?? '';

  /** Everything stands still meanwhile, as docs/operations.md has it. */
  async function whileStopped(work: () => Promise<unknown>): Promise<void> {
    await cluster.group.stop();
    await cluster.engine.stop();
    await work();
    await cluster.engine.start();
  }

  async function ask(statement: string): Promise<unknown> {
    const client = new pg.Client({ connectionString: databaseUrl() });
    await client.connect();
    try {
      return Object.values(((await client.query(statement)).rows as object[])[0] ?? {})[0];
    } finally {
      await client.end();
    }
  }
  const transactionNumber = async (): Promise<number> => Number(await ask('SELECT pg_current_xact_id()::text'));
  const passTransactions = (count: number): Promise<unknown> =>
    ask(`DO $$ BEGIN FOR i IN 1..${count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`);

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
    const { url } = cluster;
    const [ada, bob, cy] = [await TestUser.signUp(url), await TestUser.signUp(url), await TestUser.signUp(url)];
    const rooms = await Promise.all(Array.from({ length: 6 }, () => ada.group([bob])));
    const ids = rooms.map(({ conversationId }) => conversationId);
    const [first, second, third] = ids as [string, string, string];
    for (const id of ids) await ada.sendMany(id, 3, 'before');
    const earlier = (await ada.history(first)).items;
    const copy = `${String(await ask('SHOW data_directory'))}-back-up`;
    await whileStopped(() => run('cp', ['-a', copy.replace(/-back-up$/, ''), copy]));
    await cluster.startProcesses();

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
    await passTransactions(TRANSACTIONS_LOST);
    const synced = await bob.sync();
    const lostNumber = await transactionNumber();

    await whileStopped(async () => {
      const folder = copy.replace(/-back-up$/, '');
      await rm(folder, { recursive: true });
      await run('mv', [copy, folder]);
    });
    await cluster.startProcesses();
    await expect
      .poll(async () => [await seenBy(ada, ids), await seenBy(bob, [first, third, made.conversationId])], CAUGHT_UP)
      .toEqual(before);
    await expect(bob.history(second)).rejects.toThrow(/40[34]/);

    const again = await ada.rest.call('POST', path, { body: repeated });
    expect([again.status, again.json]).toEqual([200, once.json]);
    const next = await ada.send(first, 'after all that');
    expect(next.seq).toBe((once.json as Message).seq + 1);

    // Numbers of the lost time are given to other transactions now: a position that is made of them may not count.
    expect(await transactionNumber()).toBeLessThan(lostNumber);
    await passTransactions(2 * TRANSACTIONS_LOST);
    expect(await transactionNumber()).toBeGreaterThan(lostNumber);
    const told = (await bob.sync({ since: synced.syncedAt })).conversations.map(({ conversation }) => conversation);
    expect(told.find(({ conversationId }) => conversationId === first)?.lastSeq).toBe(next.seq);
  }, 240_000);
});
