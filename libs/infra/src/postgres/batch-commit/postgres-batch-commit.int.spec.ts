import { type DecidedBatch, DataRefused, type MessageWrite, type PartitionProgress } from '@parley/domain';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { CommitConnection } from './commit-connection.js';
import { PostgresBatchCommit } from './postgres-batch-commit.js';

const SENDER = '00000000-0000-4000-8001-000000000001';
const AT = Date.UTC(2026, 10, 22, 10);
const PARTITIONS = 16;

let server: TestPostgres;
let database: Database;
let pool: pg.Pool;
let connection: CommitConnection;
let commit: PostgresBatchCommit;
let leases: PostgresPartitionLeases;
let partition = -1;
let progress: PartitionProgress;
let made = 0;

beforeAll(async () => {
  server = await startTestPostgres();
  database = await openDatabase({ url: server.url, poolSize: 4 });
  pool = database.pool;
  leases = new PostgresPartitionLeases(pool);
  await leases.ensurePartitions(PARTITIONS);
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
});

/** Each test has a partition and a connection of its own. */
beforeEach(async () => {
  progress = await claim((partition += 1));
  connection = new CommitConnection(server.url);
  commit = new PostgresBatchCommit(connection);
  return () => connection.close();
});

const claim = async (of: number): Promise<PartitionProgress> =>
  (await leases.claim('commit', [of], true))[0] as PartitionProgress;

const newId = (): string => `00000000-0000-4000-8003-${String((made += 1)).padStart(12, '0')}`;

/** The next record of a partition: one conversation's messages, with their keys. */
function batchOf(from: PartitionProgress, contents: readonly string[] = ['Hello'], conversationId = newId()) {
  const { partition: of, nextOffset: offset } = from;
  const messages = contents.map((content, i): MessageWrite => {
    const messageId = String((made += 1));
    const [seq, rev, clientMsgId, senderId] = [i + 1, i + 1, `c-${i}`, SENDER];
    const send = { conversationId, senderId, clientMsgId, messageId, seq, rev, at: AT, requestHash: 'h' };
    const timestamp = new Date(AT).toISOString();
    const place = { messageId, seq, rev, conversationId, senderId, clientMsgId, timestamp };
    const unchanged = { media: [], replyToMessageId: null, editedAt: null, deletedAt: null, reactions: [] };
    return { message: { ...place, ...unchanged, content, contentType: 'text' }, send };
  });
  const batch: DecidedBatch = {
    journal: [{ partition: of, offset, at: AT, payload: '{}' }],
    messages,
    stream: [],
    checkpoint: {
      partitions: [{ ...from, expectedOffset: offset, nextOffset: offset + 1 }],
      conversations: [],
      members: [],
      receipts: [],
      deadLetters: [],
    },
  };
  return { batch, conversationId, next: { ...from, nextOffset: offset + 1 } };
}

async function one<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row> {
  return (await pool.query<Row>(sql, values)).rows[0] as Row;
}

/** How many rows a partition and a conversation have, and where the partition is. */
async function stored(conversationId: string): Promise<unknown> {
  return one(
    `SELECT (SELECT count(*)::int FROM message WHERE conversation_id = $1) AS messages,
       (SELECT count(*)::int FROM sent_key WHERE conversation_id = $1) AS keys,
       (SELECT count(*)::int FROM command_log WHERE partition = $2) AS records,
       (SELECT next_offset::int FROM partition_progress WHERE partition = $2) AS offset`,
    [conversationId, partition],
  );
}

const NOTHING = { messages: 0, keys: 0, records: 0, offset: 0 };
const ONE = { messages: 1, keys: 1, records: 1, offset: 1 };

/** The server processes of this database's commit connections. */
async function backends(): Promise<number[]> {
  const sql = `SELECT pid FROM pg_stat_activity
    WHERE application_name = 'parley-commit' AND datname = current_database() ORDER BY pid`;
  return (await pool.query<{ pid: number }>(sql)).rows.map(({ pid }) => pid);
}

async function onlyBackend(): Promise<number> {
  // The connection of the test before may still be going.
  await expect.poll(async () => (await backends()).length).toBe(1);
  return (await backends())[0] as number;
}

async function terminate(pid: number): Promise<void> {
  await pool.query('SELECT pg_terminate_backend($1)', [pid]);
  await expect.poll(backends).not.toContain(pid);
}

/** Keeps every commit of the partition from ending until it is called. */
async function lockPartition(): Promise<() => Promise<void>> {
  const blocker = await pool.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT 1 FROM partition_progress WHERE partition = $1 FOR UPDATE', [partition]);
  return async () => {
    await blocker.query('ROLLBACK');
    blocker.release();
  };
}

describe('a batch with a value that cannot be written', () => {
  it('is refused for its data and leaves nothing; the same connection commits the next one', async () => {
    const first = batchOf(progress);
    expect(await commit.commit(first.batch)).toBe('committed');
    const pid = await onlyBackend();

    const bad = batchOf(first.next, ['fine', 'not fine'], newId());
    const write = bad.batch.messages[1] as MessageWrite;
    write.message.conversationId = 'not-a-uuid';
    let handedOver = 0;
    await expect(commit.commit(bad.batch, () => (handedOver += 1))).rejects.toBeInstanceOf(DataRefused);
    expect(handedOver).toBe(0);
    expect(await stored(bad.conversationId)).toEqual({ messages: 0, keys: 0, records: 1, offset: 1 });

    const next = batchOf(first.next);
    expect(await commit.commit(next.batch)).toBe('committed');
    expect(await stored(next.conversationId)).toEqual({ messages: 1, keys: 1, records: 2, offset: 2 });
    expect(await onlyBackend()).toBe(pid);
  });

  it('may be the first on its connection', async () => {
    const bad = batchOf(progress, ['Hello'], 'not-a-uuid');
    await expect(commit.commit(bad.batch)).rejects.toBeInstanceOf(DataRefused);
    const { batch, conversationId } = batchOf(progress);
    expect(await stored(conversationId)).toEqual(NOTHING);
    expect(await commit.commit(batch)).toBe('committed');
    expect(await stored(conversationId)).toEqual(ONE);
  });

  it('does not make the end of a commit uncertain, and is told to nobody', async () => {
    const told: string[] = [];
    commit.onUncertain(() => told.push('uncertain'));
    commit.onCommitted(() => told.push('committed'));
    const { batch } = batchOf(progress, ['Hello'], 'not-a-uuid');
    await expect(commit.commit(batch)).rejects.toThrow('not a UUID: not-a-uuid');
    expect(told).toEqual([]);
  });

  it('that only the server can tell is refused too; the same connection commits the next one', async () => {
    const bad = batchOf(progress, ['NUL \0 is not text']);
    await expect(commit.commit(bad.batch)).rejects.toBeInstanceOf(DataRefused);
    expect(await stored(bad.conversationId)).toEqual(NOTHING);
    const pid = await onlyBackend();
    const { batch, conversationId } = batchOf(progress);
    expect(await commit.commit(batch)).toBe('committed');
    expect(await stored(conversationId)).toEqual(ONE);
    expect(await onlyBackend()).toBe(pid);
  });
});

describe('a batch of several megabytes', () => {
  /** 2,000 messages of 6 kB: 12 MB, more than any socket takes at once. */
  const CONTENTS = Array.from({ length: 2_000 }, (_, i) => `${i} ${'漢'.repeat(2_000)}`);

  it('is committed whole, and handed over before the commit ends, but not before it has left', async () => {
    const small = batchOf(progress);
    expect(await commit.commit(small.batch)).toBe('committed');

    const unlock = await lockPartition();
    const order: string[] = [];
    const large = batchOf(small.next, CONTENTS);
    const committing = commit.commit(large.batch, () => order.push('handed over'));
    order.push('begun');
    // The server has all of it and cannot go on: who is told now is told before the end.
    await expect
      .poll(() => order)
      .toContain('handed over')
      .finally(unlock);
    order.push(await committing);
    expect([...new Set(order)]).toEqual(['begun', 'handed over', 'committed']);
    expect(order.at(-1)).toBe('committed');

    expect(await stored(large.conversationId)).toEqual({ messages: 2_000, keys: 2_000, records: 2, offset: 2 });
    const { rows } = await pool.query<{ content: string }>(
      'SELECT content FROM message WHERE conversation_id = $1 ORDER BY seq',
      [large.conversationId],
    );
    expect(rows.filter(({ content }, i) => content !== CONTENTS[i])).toHaveLength(0);
  });

  it('leaves nothing behind for the small one after it', async () => {
    const large = batchOf(progress, CONTENTS);
    expect(await commit.commit(large.batch)).toBe('committed');
    const small = batchOf(large.next, ['漢']);
    expect(await commit.commit(small.batch)).toBe('committed');
    expect(await stored(small.conversationId)).toEqual({ messages: 1, keys: 1, records: 2, offset: 2 });
  });

  it('can be refused for its last value, and then nothing has left', async () => {
    const bad = batchOf(progress, CONTENTS);
    (bad.batch.messages.at(-1) as MessageWrite).message.senderId = 'nobody';
    await expect(commit.commit(bad.batch)).rejects.toBeInstanceOf(DataRefused);
    expect(await stored(bad.conversationId)).toEqual(NOTHING);
    expect(await commit.commit(batchOf(progress, CONTENTS).batch)).toBe('committed');
  });
});

describe('a batch that the database refuses', () => {
  it('for its epoch is fenced, and the connection goes on with the same prepared statement', async () => {
    const former = progress;
    progress = await claim(partition);
    const fenced = batchOf(former);
    expect(await commit.commit(fenced.batch)).toBe('fenced');
    expect(await stored(fenced.conversationId)).toEqual(NOTHING);
    const pid = await onlyBackend();
    const { batch, conversationId, next } = batchOf(progress);
    expect(await commit.commit(batch)).toBe('committed');
    expect(await stored(conversationId)).toEqual(ONE);
    expect(await commit.commit(batchOf(former).batch)).toBe('fenced');
    expect(await commit.commit(batchOf(next).batch)).toBe('committed');
    expect(await onlyBackend()).toBe(pid);
  });

  it('ends nobody’s certainty: only a commit whose end is unknown does', async () => {
    const told: string[] = [];
    commit.onUncertain(() => told.push('uncertain'));
    commit.onCommitted((batch) => told.push(`committed ${batch.messages.length}`));
    expect(await commit.commit(batchOf({ ...progress, epoch: progress.epoch + 1 }).batch)).toBe('fenced');
    expect(told).toEqual([]);
    expect(await commit.commit(batchOf(progress).batch)).toBe('committed');
    expect(told).toEqual(['committed 1']);
  });
});

describe('a connection that the server ends', () => {
  it('between two commits is replaced at the latest for the second one after it', async () => {
    const first = batchOf(progress);
    expect(await commit.commit(first.batch)).toBe('committed');
    const pid = await onlyBackend();
    await terminate(pid);

    const meeting = batchOf(first.next);
    const outcome = await commit.commit(meeting.batch).catch((error: unknown) => String(error));
    const sql = 'SELECT next_offset::int AS offset FROM partition_progress WHERE partition = $1';
    const { offset } = await one<{ offset: number }>(sql, [partition]);
    expect(outcome).toMatch(offset === 2 ? /^committed$/ : /terminat|ECONNRESET|EPIPE/);

    // Of the same shape as the first: what that one prepared went with its connection.
    const following = batchOf({ ...first.next, nextOffset: offset });
    expect(await commit.commit(following.batch)).toBe('committed');
    expect(await stored(following.conversationId)).toMatchObject({ messages: 1, keys: 1, offset: offset + 1 });
    expect(await onlyBackend()).not.toBe(pid);
  });

  it('during a commit makes its end uncertain; the next one succeeds on a new connection', async () => {
    const told: string[] = [];
    commit.onUncertain(() => told.push('uncertain'));
    commit.onCommitted(() => told.push('committed'));
    const first = batchOf(progress);
    expect(await commit.commit(first.batch)).toBe('committed');
    const pid = await onlyBackend();

    const unlock = await lockPartition();
    const hanging = batchOf(first.next);
    const outcome = commit.commit(hanging.batch).catch((error: unknown) => error);
    const isWaiting = "SELECT wait_event_type = 'Lock' AS waiting FROM pg_stat_activity WHERE pid = $1";
    await expect.poll(() => one(isWaiting, [pid])).toEqual({ waiting: true });
    await terminate(pid);
    const error = await outcome;
    await unlock();

    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(DataRefused);
    expect(told).toEqual(['committed', 'uncertain']);
    expect(await stored(hanging.conversationId)).toEqual({ messages: 0, keys: 0, records: 1, offset: 1 });
    expect(await commit.commit(hanging.batch)).toBe('committed');
    expect(await stored(hanging.conversationId)).toEqual({ messages: 1, keys: 1, records: 2, offset: 2 });
    expect(await onlyBackend()).not.toBe(pid);
  });
});
