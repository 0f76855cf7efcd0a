import { randomUUID } from 'node:crypto';
import {
  type CommandRecord,
  type ConversationCommand,
  EventStream,
  NoPipelineMetrics,
  type Outcome,
  partitionOf,
  PartitionOwner,
  PartitionRunner,
  type StreamedEvent,
  StreamReplay,
} from '@parley/domain';
import type { Media } from '@parley/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, user } from '../../../../domain/src/conversation/testing/given-conversation.js';
import { MemoryBroadcast } from '../../memory/memory-broadcast.js';
import { MemoryCommandLog } from '../../memory/memory-command-log.js';
import { MemoryReplies } from '../../memory/memory-replies.js';
import { CommitConnection } from '../batch-commit/commit-connection.js';
import { PostgresBatchCommit } from '../batch-commit/postgres-batch-commit.js';
import { PostgresCheckpoint } from '../checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { PostgresEventStream } from '../event-stream/postgres-event-stream.js';
import { PostgresMessageStore } from '../message-store/postgres-message-store.js';
import { ReadModelRebuild, type RebuildReport } from './read-model-rebuild.js';
import { REBUILD_SCHEMA, RebuildTables, RebuildUnderWay } from './rebuild-tables.js';

const PARTITIONS = 4;
const NOTHING = { conversations: 0, members: 0, strangers: 0, receipts: 0, mediaUses: 0 };
/** All that is rebuilt, without the numbers of the transactions that wrote it. */
const TABLES = {
  conversation: `SELECT to_jsonb(t) - 'changed_xid' AS row FROM conversation t ORDER BY conversation_id`,
  conversation_member: `SELECT to_jsonb(t) - 'changed_xid' AS row FROM conversation_member t ORDER BY conversation_id, user_id`,
  receipt_advance: `SELECT to_jsonb(t) - 'advance_id' AS row FROM receipt_advance t ORDER BY conversation_id, at`,
  media_use: `SELECT to_jsonb(t) AS row FROM media_use t ORDER BY message_id, media_id`,
  message: `SELECT to_jsonb(t) AS row FROM message t ORDER BY message_id`,
  sent_key: `SELECT to_jsonb(t) AS row FROM sent_key t ORDER BY message_id`,
};

const medium = (): Media => ({
  mediaId: randomUUID(),
  url: '/v1/media/x',
  thumbnailUrl: null,
  mimeType: 'image/png',
  sizeBytes: 1,
  width: 1,
  height: 1,
  fileName: 'x.png',
});

/** An owner that works until it is stopped, as the worker's does. */
class WorkingOwner {
  readonly troubles: string[] = [];
  private readonly log = new MemoryCommandLog({ partitions: PARTITIONS, pendingRecordsMax: 1_000 });
  private readonly replies = new MemoryReplies();
  private readonly runner: PartitionRunner;
  private stopping = false;
  private working: Promise<void> = Promise.resolve();

  constructor(database: Database, connection: CommitConnection) {
    const { pool } = database;
    const onTrouble = (what: string): void => void this.troubles.push(what);
    const owner = new PartitionOwner(
      {
        log: this.log,
        commit: new PostgresBatchCommit(connection),
        replies: this.replies,
        broadcast: new MemoryBroadcast(),
        checkpoint: new PostgresCheckpoint(pool),
        stream: new PostgresEventStream(pool),
        store: new PostgresMessageStore(pool),
        metrics: new NoPipelineMetrics(),
      },
      { onTrouble, backoffMs: { first: 1, longest: 5 } },
    );
    const leases = new PostgresPartitionLeases(pool);
    const options = { ownerId: randomUUID(), partitions: PARTITIONS, exclusive: true, onTrouble, renewalMs: 50 };
    this.runner = new PartitionRunner(owner, leases, options);
  }

  async start(): Promise<void> {
    await this.runner.start();
    this.working = this.work();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.working;
    await this.runner.stop();
  }

  async ask(actorId: string, conversationId: string, command: ConversationCommand): Promise<Outcome | null> {
    const commandId = randomUUID();
    const origin = { processId: this.replies.processId, connectionId: null };
    const record: CommandRecord = {
      version: 1,
      commandId,
      conversationId,
      actorId,
      origin,
      command,
      submittedAt: Date.now(),
    };
    const outcome = this.replies.expect(commandId, 10_000);
    await Promise.race([this.log.append([record]), outcome]);
    return outcome;
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      await this.runner.settle();
      await this.runner.process(await this.log.read(this.runner.positions(), 1_000, 20));
      await this.runner.settle();
      this.runner.publish();
    }
  }
}

/** The real stream, whose connection breaks after so many reads. */
class BreakingStream extends EventStream {
  constructor(
    private readonly real: EventStream,
    private reads: number,
  ) {
    super();
  }

  override append(events: readonly StreamedEvent[]): Promise<void> {
    return this.real.append(events);
  }

  override async read(...args: Parameters<EventStream['read']>): Promise<StreamedEvent[]> {
    if (this.reads-- <= 0) throw new Error('the stream broke');
    return this.real.read(...args);
  }
}

describe('a rebuild of the read models', () => {
  let server: TestPostgres;
  let database: Database;
  let connection: CommitConnection;
  let owner: WorkingOwner;
  const conversations = Array.from({ length: 12 }, () => randomUUID());
  const [first = '', second = ''] = conversations;

  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 4 });
    connection = new CommitConnection(server.url);
    await new PostgresPartitionLeases(database.pool).ensurePartitions(PARTITIONS);
    owner = new WorkingOwner(database, connection);
    await owner.start();
    for (const id of conversations) await history(id);
  });
  afterAll(async () => {
    await owner.stop();
    await connection.close();
    await database.close();
    await server.stop();
  });

  /** Something of every kind of event. */
  async function history(id: string): Promise<void> {
    const create = {
      type: 'create-conversation',
      conversationType: 'group',
      name: 'Old',
      memberIds: ['b', 'c'].map(user),
    };
    await owner.ask(user('a'), id, create as ConversationCommand);
    const sent: { messageId: string; seq: number }[] = [];
    for (let n = 1; n <= 20; n++) {
      // The first two carry a medium; the second one is deleted later.
      const command = { ...send(`m${n}`, `text ${n}`), media: n <= 2 ? [medium()] : [] };
      const outcome = await owner.ask(user(n % 2 ? 'a' : 'b'), id, command as ConversationCommand);
      if (outcome?.kind !== 'sent') throw new Error(`not sent: ${JSON.stringify(outcome)}`);
      sent.push({ messageId: outcome.messageId, seq: outcome.seq });
    }
    const facts = (n: number, author: string): object => ({
      message: { messageId: sent[n]!.messageId, seq: sent[n]!.seq, authorId: user(author), deleted: false },
    });
    const commands: [string, object][] = [
      ['a', { type: 'edit-message', content: 'edited', ...facts(0, 'a') }],
      ['b', { type: 'delete-message', ...facts(1, 'b') }],
      ['c', { type: 'react', emoji: '👍', present: true, ...facts(2, 'a') }],
      ['a', { type: 'rename', name: 'New' }],
      ['c', { type: 'change-settings', mutedUntil: null, pinned: true, archived: false }],
      [
        'a',
        { type: 'advance-marks', marks: [{ userId: user('c'), read: { messageId: sent[9]!.messageId, seq: 10 } }] },
      ],
      ['a', { type: 'change-members', add: [user('d')], remove: [], roles: {}, membersMax: 10 }],
      ['a', { type: 'change-members', add: [], remove: [user('b')], roles: {}, membersMax: 10 }],
    ];
    for (const [name, command] of commands) {
      const outcome = await owner.ask(user(name), id, command as ConversationCommand);
      if (outcome === null || outcome.kind === 'refused')
        throw new Error(`${JSON.stringify(command)}: ${JSON.stringify(outcome)}`);
    }
  }

  async function contents(): Promise<Record<string, unknown[]>> {
    const read = async (sql: string): Promise<unknown[]> =>
      (await database.pool.query<{ row: unknown }>(sql)).rows.map(({ row }) => row);
    return Object.fromEntries(
      await Promise.all(Object.entries(TABLES).map(async ([table, sql]) => [table, await read(sql)] as const)),
    );
  }

  function rebuild(
    options: { stream?: EventStream; conversationId?: string; messages?: boolean; checkOnly?: boolean } = {},
  ): Promise<RebuildReport> {
    const { messages = false, stream = new PostgresEventStream(database.pool), ...others } = options;
    const store = messages ? new PostgresMessageStore(database.pool) : null;
    return ReadModelRebuild.run({ databaseUrl: server.url, partitions: PARTITIONS, stream, store, ...others });
  }

  /** Statements that a hand at the wrong table would type. */
  async function spoil(...statements: string[]): Promise<void> {
    for (const statement of statements) await database.pool.query(statement);
  }

  it('of tables that are right changes nothing, and keeps their owner', async () => {
    const before = await contents();
    expect(before['message']?.length).toBe(240);
    const { rows } = await database.pool.query('SELECT partition, epoch FROM partition_progress ORDER BY 1');
    expect(await rebuild()).toMatchObject({ ...NOTHING, eventsWithoutBeginning: 0, unknownToStream: 0 });
    expect(await contents()).toEqual(before);
    const after = await database.pool.query('SELECT partition, epoch FROM partition_progress ORDER BY 1');
    expect(after.rows).toEqual(rows);
    const { rows: left } = await database.pool.query(`SELECT to_regnamespace('${REBUILD_SCHEMA}') AS schema`);
    expect(left).toEqual([{ schema: null }]);
  });

  it('puts back what was changed, deleted and added, and every count says so', async () => {
    const before = await contents();
    await spoil(
      `UPDATE conversation SET name = 'Spoiled', last_seq = 3 WHERE conversation_id = '${first}'`,
      `DELETE FROM conversation WHERE conversation_id = '${second}'`,
      `UPDATE conversation_member SET read_seq = 0 WHERE conversation_id = '${first}' AND user_id = '${user('c')}'`,
      `INSERT INTO conversation_member SELECT conversation_id, gen_random_uuid(), role, joined_at, visible_from_seq, read_seq,
         NULL, 0, NULL, NULL, false, false FROM conversation_member WHERE conversation_id = '${second}' LIMIT 1`,
      `DELETE FROM receipt_advance WHERE conversation_id = '${second}'`,
    );
    expect(await rebuild({ checkOnly: true })).toMatchObject({
      conversations: 2,
      members: 1,
      strangers: 1,
      receipts: 1,
    });
    expect(await contents()).not.toEqual(before);
    expect(await rebuild()).toMatchObject({ conversations: 2, members: 1, strangers: 1, receipts: 1 });
    expect(await contents()).toEqual(before);
    expect(await rebuild()).toMatchObject(NOTHING);
  });

  it('has the owner forget what it knew of spoiled rows: the next message gets the next seq', async () => {
    await spoil(`UPDATE conversation SET name = 'Spoiled' WHERE conversation_id = '${first}'`);
    const fenced = owner.troubles.filter((what) => what === 'fenced').length;
    await rebuild();
    const { rows } = await database.pool.query<{ last_seq: string }>(
      `SELECT last_seq FROM conversation WHERE conversation_id = '${first}'`,
    );
    const outcome = await owner.ask(user('a'), first, send('after the rebuild'));
    expect(outcome).toMatchObject({ kind: 'sent', seq: Number(rows[0]?.last_seq) + 1, duplicate: false });
    // By its commit, or by the renewal that came before it.
    expect(owner.troubles.filter((what) => what === 'fenced').length).toBeGreaterThanOrEqual(fenced);
    expect(await rebuild({ checkOnly: true })).toMatchObject(NOTHING);
  });

  it('is done while messages are sent: all are answered, and the tables are right at the end', async () => {
    const sender = randomUUID();
    let sending = true;
    let sent = 0;
    const busy = (async () => {
      for (let n = 0; sending || n < 50; n++) {
        const id = conversations[n % conversations.length] ?? first;
        const outcome = await owner.ask(user('a'), id, send(`${sender}-${n}`));
        if (outcome?.kind === 'sent') sent++;
        else throw new Error(`not sent: ${JSON.stringify(outcome)}`);
      }
    })();
    for (let round = 0; round < 3; round++) {
      await spoil(`DELETE FROM conversation_member WHERE user_id = '${user('c')}'`);
      expect((await rebuild()).members).toBeGreaterThan(0);
    }
    sending = false;
    await busy;
    expect(sent).toBeGreaterThanOrEqual(50);
    expect(await rebuild({ checkOnly: true })).toMatchObject(NOTHING);
    const { rows } = await database.pool.query<{ total: number }>(
      `SELECT count(*)::int AS total FROM message WHERE client_msg_id LIKE '${sender}%'`,
    );
    expect(rows[0]?.total).toBe(sent);
  });

  it('that was broken off goes on where it was', async () => {
    await spoil('UPDATE conversation_member SET read_seq = 0');
    const stream = new BreakingStream(new PostgresEventStream(database.pool), 3);
    await expect(rebuild({ stream })).rejects.toThrow('the stream broke');
    const whole = await database.pool.query<{ events: number }>('SELECT count(*)::int AS events FROM event_stream');
    const report = await rebuild();
    expect(report.resumed).toBe(true);
    expect(report.events).toBeLessThan(whole.rows[0]!.events);
    expect(report.events).toBeGreaterThan(0);
    expect(await rebuild({ checkOnly: true })).toMatchObject({ ...NOTHING, resumed: false });
  });

  it('of one conversation leaves the others alone', async () => {
    await spoil(`UPDATE conversation_member SET pinned = NOT pinned WHERE user_id = '${user('d')}'`);
    expect(await rebuild({ conversationId: first })).toMatchObject({ ...NOTHING, members: 1 });
    expect(await rebuild()).toMatchObject({ ...NOTHING, members: conversations.length - 1 });
  });

  it('appends messages and keys of sends that the store has lost, with their later changes', async () => {
    const before = await contents();
    await spoil('DELETE FROM message WHERE seq <= 5', `DELETE FROM sent_key WHERE conversation_id = '${second}'`);
    expect((await rebuild({ messages: true })).messages).toBeGreaterThanOrEqual(240);
    const after = await contents();
    expect(after['message']?.length).toBe(before['message']?.length);
    expect(after['sent_key']).toEqual(before['sent_key']);
    expect(after).toEqual(before);
  });

  it('does not miss the use of a medium that ended and was collected', async () => {
    const before = await contents();
    await spoil('DELETE FROM media_use WHERE removed_at IS NOT NULL');
    expect(await rebuild()).toMatchObject(NOTHING);
    expect((await contents())['media_use']?.length).toBe(before['media_use']!.length / 2);
  });

  it('knows that a use has ended also when the message was sent batches before', async () => {
    const { rows } = await database.pool.query<{ media_id: string; partition: number; sent: string; last: string }>(
      `SELECT u.media_id, e.partition, e."offset" AS sent,
         (SELECT next_offset FROM partition_progress p WHERE p.partition = e.partition) AS last
       FROM event_stream e JOIN media_use u ON (e.payload::jsonb -> 'message' ->> 'messageId')::bigint = u.message_id
       WHERE e.conversation_id = '${first}' ORDER BY e."offset" LIMIT 1`,
    );
    const { media_id: mediaId, partition, sent, last } = rows[0]!;
    const message = await database.pool.query<{ message_id: string; seq: number }>(
      `SELECT message_id, seq::int FROM media_use WHERE media_id = '${mediaId}'`,
    );
    const { message_id: messageId, seq } = message.rows[0]!;
    const facts = { messageId, seq, authorId: user('a'), deleted: false };
    await owner.ask(user('a'), first, { type: 'delete-message', message: facts });
    const tables = await RebuildTables.open(server.url, { partitions: PARTITIONS, messages: false });
    try {
      const replay = new StreamReplay({
        stream: new PostgresEventStream(database.pool),
        checkpoint: tables.checkpoint,
        store: null,
        notedMediaUses: (ids) => tables.notedMediaUses(ids),
        receiptsSince: 0,
      });
      const removedAt = async (): Promise<(number | null)[]> =>
        (await tables.notedMediaUses([messageId])).map((use) => use.removedAt);
      await replay.advance(partition, Number(sent) + 1);
      expect(await removedAt()).toEqual([null]);
      await replay.advance(partition, Number(last) + 1);
      expect(await removedAt()).toEqual([expect.any(Number)]);
      await tables.drop();
    } finally {
      await tables.close();
    }
    expect(await rebuild({ checkOnly: true })).toMatchObject(NOTHING);
  });

  it('is refused while another one works on the database', async () => {
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    try {
      await other.query('SELECT pg_advisory_lock(7233519403)');
      await expect(rebuild()).rejects.toBeInstanceOf(RebuildUnderWay);
    } finally {
      await other.end();
    }
  });

  it('leaves alone what the stream does not know, and says how much that is', async () => {
    const partition = partitionOf(first, PARTITIONS);
    // What a stream that is kept for a time only has lost.
    await spoil(
      'CREATE TABLE kept AS SELECT * FROM event_stream',
      `DELETE FROM event_stream WHERE partition = ${partition} AND conversation_id = '${first}' AND "offset" < (
         SELECT max("offset") - 3 FROM event_stream WHERE conversation_id = '${first}')`,
    );
    const before = await contents();
    const report = await rebuild();
    expect(report).toMatchObject({ ...NOTHING, unknownToStream: 1 });
    expect(report.eventsWithoutBeginning).toBeGreaterThan(0);
    expect(await contents()).toEqual(before);
    await spoil('TRUNCATE event_stream', 'INSERT INTO event_stream SELECT * FROM kept', 'DROP TABLE kept');
  });
});
