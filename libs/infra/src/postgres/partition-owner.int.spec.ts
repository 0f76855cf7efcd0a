import type { Message } from '@parley/contracts';
import {
  BatchCommit,
  type CommandRecord,
  type CommitResult,
  type ConversationCommand,
  type DecidedBatch,
  type LiveEvent,
  type MessageSent,
  NoPipelineMetrics,
  type Outcome,
  PartitionOwner,
  partitionOf,
  PartitionRunner,
} from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { send, user } from '../../../domain/src/conversation/testing/given-conversation.js';
import { MemoryBroadcast } from '../memory/memory-broadcast.js';
import { MemoryCommandLog } from '../memory/memory-command-log.js';
import { MemoryReplies } from '../memory/memory-replies.js';
import { CommitConnection } from './batch-commit/commit-connection.js';
import { PostgresBatchCommit } from './batch-commit/postgres-batch-commit.js';
import { PostgresCheckpoint } from './checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from './checkpoint/postgres-partition-leases.js';
import { type Database, openDatabase } from './database.js';
import { startTestPostgres, type TestPostgres } from './embedded/testing.js';
import { PostgresEventStream } from './event-stream/postgres-event-stream.js';
import { PostgresMessageStore } from './message-store/postgres-message-store.js';

const PARTITIONS = 4;
const CONVERSATION = '00000000-0000-4000-8000-00000000d001';

/** The real commit, with faults as a network would make them. */
class FaultyCommit extends BatchCommit {
  faults: ('lost before' | 'lost after')[] = [];
  batches: DecidedBatch[] = [];

  constructor(private readonly real: BatchCommit) {
    super();
  }

  override async commit(batch: DecidedBatch): Promise<CommitResult> {
    const fault = this.faults.shift();
    this.batches.push(batch);
    if (fault === 'lost before') throw new Error('connection lost');
    const result = await this.real.commit(batch);
    if (fault === 'lost after') throw new Error('connection lost');
    return result;
  }
}

describe('a partition owner on Postgres', () => {
  let server: TestPostgres;
  let database: Database;
  let connection: CommitConnection;
  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 4 });
    connection = new CommitConnection(server.url);
    await new PostgresPartitionLeases(database.pool).ensurePartitions(PARTITIONS);
  });
  afterAll(async () => {
    await connection.close();
    await database.close();
    await server.stop();
  });
  beforeEach(async () => {
    const tables = 'message, sent_key, conversation, conversation_member, event_stream, command_log, dead_letter';
    await database.pool.query(`TRUNCATE ${tables}`);
    await database.pool.query('UPDATE partition_progress SET next_offset = 0, owner = NULL');
  });

  interface Running {
    commit: FaultyCommit;
    live: LiveEvent[];
    troubles: string[];
    runner: PartitionRunner;
    ask(actorId: string, command: ConversationCommand, conversationId?: string): Promise<Outcome | null>;
    turn(): Promise<void>;
  }

  async function start(ownerId = 'test'): Promise<Running> {
    const { pool } = database;
    const log = new MemoryCommandLog({ partitions: PARTITIONS, pendingRecordsMax: 1_000 });
    const commit = new FaultyCommit(new PostgresBatchCommit(connection));
    const replies = new MemoryReplies();
    const broadcast = new MemoryBroadcast();
    const live: LiveEvent[] = [];
    const troubles: string[] = [];
    broadcast.subscribe((events) => live.push(...events));
    const onTrouble = (what: string): void => void troubles.push(what);
    const owner = new PartitionOwner(
      {
        log,
        commit,
        replies,
        broadcast,
        checkpoint: new PostgresCheckpoint(pool),
        stream: new PostgresEventStream(pool),
        store: new PostgresMessageStore(pool),
        metrics: new NoPipelineMetrics(),
      },
      { onTrouble, backoffMs: { first: 1, longest: 5 } },
    );
    const leases = new PostgresPartitionLeases(pool);
    const options = { ownerId, partitions: PARTITIONS, exclusive: true, onTrouble, renewalMs: 3_600_000 };
    const runner = new PartitionRunner(owner, leases, options);
    await runner.start();
    let asked = 0;
    return {
      commit,
      live,
      troubles,
      runner,
      ask: (actorId, command, conversationId = CONVERSATION) => {
        const commandId = `${ownerId}-${++asked}`;
        const origin = { processId: replies.processId, connectionId: null };
        const record: CommandRecord = {
          version: 1,
          commandId,
          conversationId,
          actorId,
          origin,
          command,
          submittedAt: Date.now(),
        };
        const outcome = replies.expect(commandId, 10_000);
        void log.append([record]);
        return outcome;
      },
      turn: async () => {
        await runner.process(await log.read(runner.positions(), 1_000, 0));
        await runner.settle();
        runner.publish();
      },
    };
  }

  const create = (...names: string[]): ConversationCommand => ({
    type: 'create-conversation',
    conversationType: 'group',
    name: null,
    memberIds: names.map(user),
  });
  const stored = async (): Promise<readonly Message[]> => {
    const range = { fromSeq: 1, toSeq: 1_000 };
    const store = new PostgresMessageStore(database.pool);
    return store.read({ conversationId: CONVERSATION, range, order: 'oldest-first', limit: 500, bytesMax: 10_000_000 });
  };

  it('answers and broadcasts only what is committed', async () => {
    const running = await start();
    const created = running.ask(user('a'), create('b'));
    const sent = running.ask(user('b'), send('1'));
    expect(await stored()).toEqual([]);
    await running.turn();
    expect(await created).toEqual({ kind: 'created', existed: false });
    expect(await sent).toMatchObject({ kind: 'sent', seq: 1, rev: 2, duplicate: false });
    expect(running.live.map((event) => event.type)).toEqual(['conversation-created', 'message-sent']);
    expect(running.live[1]).toMatchObject({ message: (await stored())[0] });
  });

  it.each(['lost before', 'lost after'] as const)(
    'stores a message once when the connection is %s the commit',
    async (fault) => {
      const running = await start();
      void running.ask(user('a'), create('b'));
      await running.turn();
      running.commit.faults = [fault];
      const sent = running.ask(user('a'), send('1'));
      await running.turn();
      expect(await sent).toMatchObject({ kind: 'sent', seq: 1, duplicate: false });
      expect(running.troubles).toEqual(['a commit failed']);
      const next = running.ask(user('a'), send('2'));
      await running.turn();
      expect(await next).toMatchObject({ seq: 2 });
      expect((await stored()).map((message) => message.seq)).toEqual([1, 2]);
    },
  );

  it('runs the same stamped batch again, so that its ids stay what they were', async () => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    running.commit.faults = ['lost before', 'lost before'];
    const sent = running.ask(user('a'), send('1'));
    await running.turn();
    const ids = running.commit.batches.map((batch) => batch.messages[0]?.message.messageId);
    expect(new Set(ids).size).toBe(1);
    expect(await sent).toMatchObject({ messageId: ids[0] });
  });

  it.each([
    ['the disk is full', '53100'],
    ['memory is short', '53200'],
    ['it fell into a deadlock', '40P01'],
    ['an operator cancelled it', '57014'],
  ])('keeps a batch that Postgres cannot take because %s, until it can: nothing is set aside', async (_why, code) => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    await running.turn();
    await database.pool.query(
      `CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '${code}'; END $$;
       CREATE TRIGGER trouble BEFORE INSERT ON message EXECUTE FUNCTION trouble()`,
    );
    const sent = running.ask(user('a'), send('1'));
    const turn = running.turn();
    await vi.waitFor(() => expect(running.troubles.length).toBeGreaterThan(3));
    await database.pool.query('DROP TRIGGER trouble ON message; DROP FUNCTION trouble');
    await turn;
    expect(await sent).toMatchObject({ kind: 'sent', seq: 1, rev: 2, duplicate: false });
    expect((await stored()).map(({ seq }) => seq)).toEqual([1]);
    expect(new Set(running.troubles)).toEqual(new Set(['a commit failed']));
    expect((await database.pool.query('SELECT FROM dead_letter')).rowCount).toBe(0);
  });

  it('finds a repeated send after a restart, which it has no memory of', async () => {
    const first = await start('first');
    void first.ask(user('a'), create('b'));
    const original = first.ask(user('a'), send('1'));
    await first.turn();
    const second = await start('second');
    const repeated = second.ask(user('a'), send('1'));
    const other = second.ask(user('a'), send('2'));
    const reused = second.ask(user('a'), send('1', 'something else'));
    await second.turn();
    expect(await repeated).toEqual({ ...(await original), duplicate: true });
    expect(await other).toMatchObject({ seq: 2, duplicate: false });
    expect(await reused).toMatchObject({ kind: 'refused', code: 'client_msg_id_reused' });
  });

  it('finds what a send repeats that is refused otherwise, also after a restart', async () => {
    const first = await start('first');
    void first.ask(user('a'), create('b'));
    const original = first.ask(user('a'), send('1'));
    await first.turn();
    const second = await start('second');
    const refusedUnlessRepeated = { code: 'blocked', detail: 'They do not want messages from you' } as const;
    const [repeated, other] = ['1', '2'].map((clientMsgId) =>
      second.ask(user('a'), { ...send(clientMsgId), refusedUnlessRepeated }),
    );
    await second.turn();
    expect(await repeated).toEqual({ ...(await original), duplicate: true });
    expect(await other).toEqual({ kind: 'refused', ...refusedUnlessRepeated });
    expect((await stored()).map(({ clientMsgId }) => clientMsgId)).toEqual(['1']);
  });

  it('tells clients of a former owner where its conversations stand', async () => {
    const first = await start('first');
    void first.ask(user('a'), create('b'));
    void first.ask(user('a'), send('1'));
    await first.turn();
    const second = await start('second');
    expect(second.live).toEqual([
      { type: 'conversations-moved', heads: [{ conversationId: CONVERSATION, lastSeq: 1, lastRev: 2 }] },
    ]);
  });

  it('is fenced by a new owner: it writes nothing, answers nothing, and does not own that partition any more', async () => {
    const former = await start('former');
    void former.ask(user('a'), create('b'));
    await former.turn();
    const owner = await start('owner');
    const sent = owner.ask(user('b'), send('1'));
    await owner.turn();
    expect(await sent).toMatchObject({ seq: 1 });
    let answered = false;
    void former.ask(user('a'), send('2')).then(() => (answered = true));
    await former.turn();
    expect(former.troubles).toEqual(['fenced']);
    expect([...former.runner.owned()]).not.toContain(partitionOf(CONVERSATION, PARTITIONS));
    expect(answered).toBe(false);
    expect((await stored()).map((message) => message.clientMsgId)).toEqual(['1']);
  });

  it('sets aside the one record that the database cannot take, and stores the others', async () => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    await running.turn();
    const good = ['1', '2', '3'].map((id) => running.ask(user('a'), send(id)));
    const bad = running.ask(user('b'), send('bad', 'NUL \0'));
    const after = running.ask(user('a'), send('4'));
    await running.turn();
    expect(await Promise.all(good)).toMatchObject([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    expect(await bad).toMatchObject({ kind: 'refused', code: 'internal' });
    expect(await after).toMatchObject({ seq: 4 });
    const { rows } = await database.pool.query('SELECT reason FROM dead_letter');
    expect(rows).toEqual([{ reason: expect.stringContaining('refuses the data') }]);
  });

  it('sets aside a record that breaks the decider, and goes on', async () => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    const poison = {
      type: 'edit-message',
      message: { messageId: '77', seq: 1, authorId: user('a') },
      content: 'x',
    } as const;
    const broken = running.ask(user('a'), poison);
    const after = running.ask(user('a'), send('1'));
    await running.turn();
    expect(await broken).toMatchObject({ kind: 'refused', code: 'internal' });
    expect(await after).toMatchObject({ seq: 1, rev: 2 });
  });

  it('gives each change of a message its own rev on the sockets, also within one batch', async () => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    const sent = running.ask(user('a'), send('1'));
    await running.turn();
    const outcome = (await sent) as Extract<Outcome, { kind: 'sent' }>;
    const message = { messageId: outcome.messageId, seq: 1, authorId: user('a') };
    for (const emoji of ['👍', '🎉']) void running.ask(user('b'), { type: 'react', message, emoji, present: true });
    void running.ask(user('a'), { type: 'edit-message', message, content: 'edited' });
    await running.turn();
    const changes = running.live.flatMap((event) => (event.type === 'message-changed' ? [event.message] : []));
    expect(changes.map(({ rev, content, reactions }) => [rev, content, reactions.length])).toEqual([
      [3, 'Hello', 1],
      [4, 'Hello', 2],
      [5, 'edited', 2],
    ]);
    expect(await stored()).toEqual([changes[2]]);
  });

  it('journals what it decided, so that deciding the journal again gives the stream byte for byte', async () => {
    const running = await start();
    void running.ask(user('a'), create('b'));
    for (const id of ['1', '2', '1', '3']) void running.ask(user('a'), send(id));
    await running.turn();
    const { rows: journal } = await database.pool.query<{ payload: string; recorded_at: Date }>(
      'SELECT payload, recorded_at FROM command_log ORDER BY "offset"',
    );
    const { rows: stream } = await database.pool.query<{ payload: string }>(
      'SELECT payload FROM event_stream ORDER BY "offset", index',
    );
    expect(journal).toHaveLength(5);
    expect(stream).toHaveLength(4);
    const again = await replay(journal);
    expect(again).toEqual(stream.map((row) => row.payload));
    const sentEvents = stream.slice(1).map((row) => (JSON.parse(row.payload) as MessageSent).message);
    expect(await stored()).toEqual(sentEvents);
  });
});

/** Decides journaled records again, from nothing. */
async function replay(journal: { payload: string; recorded_at: Date }[]): Promise<string[]> {
  const { BatchBuilder, CachedConversation, partitionOf } = await import('@parley/domain');
  const records = journal.map(({ payload, recorded_at }, offset) => {
    const record = JSON.parse(payload) as CommandRecord;
    const partition = partitionOf(record.conversationId, PARTITIONS);
    return { partition, offset, at: recorded_at.getTime(), payload, record };
  });
  const partition = records[0]?.partition ?? 0;
  const clock = { ms: 0, counter: 0 };
  const progress = { partition, epoch: 1, nextOffset: 0, clock, lastRecordHash: null };
  const builder = new BatchBuilder({
    progress: new Map([[partition, progress]]),
    conversations: new Map([[CONVERSATION, new CachedConversation(null)]]),
    messages: new Map(),
    priors: new Map(),
    poison: new Map(),
    journaled: true,
  });
  for (const record of records) builder.add(record);
  return builder.finish().stream.map((event) => event.payload);
}
