import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conversationReaderContract } from '../../../../domain/src/ports/conversation-reader.port.contract.js';
import { ConversationWorld } from '../../../../domain/src/ports/testing/conversation-world.js';
import { recordStart } from '../server-starts.js';
import { openReaderHarness, type PostgresReaderHarness, readModelStatement } from './reader-harness.testing.js';
import { PostgresConversationReader } from './postgres-conversation-reader.js';

conversationReaderContract('Postgres', openReaderHarness);

describe('positions in the history of a Postgres database', () => {
  let harness: PostgresReaderHarness;
  let ada: string;
  let bob: string;

  beforeAll(async () => {
    harness = await openReaderHarness();
    ada = await harness.addUser('Ada');
    bob = await harness.addUser('Bob');
  });
  afterAll(() => harness?.close());

  const all = { named: [], after: null, limit: 100 };
  const idsSince = async (since: string) =>
    (await harness.reader.changedSince(ada, { ...all, since })).changed.map((item) => item.conversationId);

  /** A second connection whose transaction writes one more message, and commits when it is told to. */
  async function beginSend(world: ConversationWorld): Promise<{ commit(): Promise<void> }> {
    const client = new pg.Client({ connectionString: harness.url });
    await client.connect();
    await client.query('BEGIN');
    const state = structuredClone(world.now);
    state.lastSeq += 1;
    state.lastRev += 1;
    await client.query(readModelStatement({ messages: [], conversations: [state], members: [], receipts: [] }));
    return {
      commit: async () => {
        await client.query('COMMIT');
        await client.end();
      },
    };
  }

  it('lose no change that was being committed when they were taken', async () => {
    const open = await ConversationWorld.create(harness.write, [ada, bob]);
    const other = await ConversationWorld.create(harness.write, [ada, bob]);
    const pending = await beginSend(open);
    // A later transaction commits first: a position made of the newest commit would pass over the pending one.
    await other.send(bob);
    const { position } = await harness.reader.changedSince(ada, { ...all, since: null });
    const heads = await harness.reader.headsSince([], null);
    expect(await idsSince(position)).toEqual([]);
    await pending.commit();
    expect(await idsSince(position)).toEqual([open.id]);
    const told = (await harness.reader.headsSince([ada], heads.position)).heads;
    expect(told.map((head) => head.conversationId)).toEqual([open.id]);
  });

  it('count as none in another database, and after the server was put back to an earlier state', async () => {
    const elsewhere = await openReaderHarness();
    try {
      const { position } = await elsewhere.reader.changedSince(ada, { ...all, since: null });
      const everything = (await harness.reader.changedSince(ada, { ...all, since: null })).changed.length;
      expect(everything).toBeGreaterThan(0);
      expect(await idsSince(position)).toHaveLength(everything);
      const own = (await harness.reader.changedSince(ada, { ...all, since: null })).position.split('.');
      const future = [own[0], own[1], 'zzzzzzzz', ''].join('.');
      expect(await idsSince(future)).toHaveLength(everything);
      expect((await harness.reader.headsSince([ada], future)).heads).toHaveLength(everything);
    } finally {
      await elsewhere.close();
    }
  });

  it('count as none when their numbers were given to other transactions since, and go on to count over any other start', async () => {
    const open = await ConversationWorld.create(harness.write, [ada, bob]);
    const { pool } = harness.database;
    const { position } = await harness.reader.changedSince(ada, { ...all, since: null });
    const heads = await harness.reader.headsSince([], null);
    await recordStart(pool);
    expect(await idsSince(position)).toEqual([]);
    expect((await harness.reader.headsSince([ada], heads.position)).heads).toEqual([]);
    const everything = (await harness.reader.changedSince(ada, { ...all, since: null })).changed.length;

    // A start after the restore, with a number that the position of the lost time had seen given away.
    await pool.query(
      "UPDATE server_start SET xid = '3' WHERE start_number = (SELECT max(start_number) FROM server_start)",
    );
    expect(await idsSince(position)).toHaveLength(everything);
    expect((await harness.reader.headsSince([ada], heads.position)).heads).toHaveLength(everything);
    // And one of a start that the restored database has never heard of.
    const { position: next } = await harness.reader.changedSince(ada, { ...all, since: null });
    expect(await idsSince(next)).toEqual([]);
    expect(await idsSince(next.replace(/-[0-9a-z]+\./, '-lost.'))).toHaveLength(everything);
    await open.send(bob);
    expect(await idsSince(next)).toEqual([open.id]);
  });
});

describe('a Postgres that is away', () => {
  it('is answered `store_unavailable`', async () => {
    const pool = new pg.Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 1_000 });
    const reader = new PostgresConversationReader({ pool });
    const id = randomUUID();
    await expect(reader.memberView(id, id)).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(reader.changedSince(id, { since: null, named: [], after: null, limit: 1 })).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await pool.end();
  });
});
