import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findRunningPostgres } from '@parley/infra';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ParleyClient, signUp } from '../../packages/sdk/src/index.js';
import { freePort } from '../clients/child-server.js';
import { TestApp } from '../clients/test-app.js';
import { freshName, PASSWORD, TestUser } from '../clients/test-user.js';

/** More than the server takes by itself between its start and the last check. */
const TRANSACTIONS_LOST = 5_000;
const SOON = { timeout: 40_000, interval: 100 };

// Three starts of the application, two of which make or copy a database.
describe('a back-up of the data folder', { timeout: 180_000 }, () => {
  let folder: string;
  let data: string;
  let environment: Record<string, string>;
  let app: TestApp;
  let client: ParleyClient;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-test-postgres-back-up-'));
    data = join(folder, 'data');
    environment = { DATA_DIR: data, PORT: String(await freePort()) };
  });
  afterAll(async () => {
    await client?.close();
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(statement: string): Promise<unknown> {
    const postgres = new pg.Client({ connectionString: await findRunningPostgres(data) });
    await postgres.connect();
    try {
      return Object.values(((await postgres.query(statement)).rows as object[])[0] ?? {})[0];
    } finally {
      await postgres.end();
    }
  }
  const transactionNumber = async (): Promise<number> => Number(await ask('SELECT pg_current_xact_id()::text'));
  const passTransactions = (count: number): Promise<unknown> =>
    ask(`DO $$ BEGIN FOR i IN 1..${count} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`);

  it('that was copied from a stopped server and put in its place is the server of that time, for clients too', async () => {
    const copy = join(folder, 'copy');
    app = await TestApp.start(environment);
    // Of users whom no start of the application ends.
    const [ada, bob] = await Promise.all([TestUser.signUp(app.url), TestUser.signUp(app.url)]);
    client = await signUp({ url: app.url, username: freshName(), password: PASSWORD, displayName: 'Cyd' });
    const { conversationId } = await ada.group([bob]);
    await ada.members(conversationId, { add: [(await client.me()).userId] });
    await ada.sendMany(conversationId, 3, 'before');
    const shown: string[] = [];
    (await client.conversation(conversationId)).subscribe((items) =>
      shown.splice(0, shown.length, ...items.map(({ content }) => content)),
    );
    const before = ['before 1', 'before 2', 'before 3'];
    await expect.poll(() => shown, SOON).toEqual(before);
    await app.shutDown();
    await promisify(execFile)('cp', ['-a', data, copy]);

    app = await TestApp.start(environment);
    expect((await ada.send(conversationId, 'lost')).seq).toBe(4);
    await expect.poll(() => shown, SOON).toEqual([...before, 'lost']);
    await passTransactions(TRANSACTIONS_LOST);
    const { syncedAt } = await bob.sync();
    const lostNumber = await transactionNumber();
    await app.shutDown();

    await rm(data, { recursive: true });
    await rename(copy, data);
    app = await TestApp.start(environment);
    // The secret was in the copy: the tokens of before are good.
    expect((await ada.history(conversationId)).items.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    // A client that has seen the fourth message is ahead of the server, and is told to begin anew.
    const [ahead] = (await bob.sync({ cursors: [{ conversationId, afterSeq: 4 }] })).conversations;
    expect(ahead).toMatchObject({ reset: true });
    await expect.poll(() => shown, SOON).toEqual(before);
    expect((await ada.send(conversationId, 'on')).seq).toBe(4);
    await expect.poll(() => shown, SOON).toEqual([...before, 'on']);

    // Numbers of the lost time are given to other transactions now: a position that is made of them may not count.
    expect(await transactionNumber()).toBeLessThan(lostNumber);
    await passTransactions(2 * TRANSACTIONS_LOST);
    expect(await transactionNumber()).toBeGreaterThan(lostNumber);
    const told = (await bob.sync({ since: syncedAt })).conversations.map(({ conversation }) => conversation);
    expect(told).toMatchObject([{ conversationId, lastSeq: 4, lastMessage: { preview: 'on' } }]);
  });
});
