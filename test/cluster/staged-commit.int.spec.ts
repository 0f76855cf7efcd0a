import { randomBytes } from 'node:crypto';
import {
  type BatchCommit,
  Checkpoint,
  type CheckpointResult,
  type CheckpointWrite,
  CommandLog,
  type CommandRecord,
  type ConversationCommand,
  DomainError,
  type LogRecord,
  type Positions,
  type MessageStore,
  NoPipelineMetrics,
  type Outcome,
  PartitionOwner,
  StagedBatchCommit,
} from '@parley/domain';
import type { Client } from 'cassandra-driver';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, START_MS, user } from '../../libs/domain/src/conversation/testing/given-conversation.js';
import { batchCommitContract } from '../../libs/domain/src/ports/batch-commit.port.contract.js';
import { CassandraMessageStore } from '../../libs/infra/src/cassandra/index.js';
import { openTestKeyspace } from '../../libs/infra/src/cassandra/testing/test-keyspace.testing.js';
import { MemoryBroadcast } from '../../libs/infra/src/memory/memory-broadcast.js';
import { MemoryReplies } from '../../libs/infra/src/memory/memory-replies.js';
import { PostgresCheckpoint } from '../../libs/infra/src/postgres/checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from '../../libs/infra/src/postgres/checkpoint/postgres-partition-leases.js';
import { openDatabase } from '../../libs/infra/src/postgres/database.js';
import { PostgresEventStream } from '../../libs/infra/src/postgres/event-stream/postgres-event-stream.js';

const PARTITIONS = 12;
const PARTITION = 5;
const CONVERSATION = '00000000-0000-4000-8000-00000000d005';

interface Stores {
  client: Client;
  pool: pg.Pool;
  store: CassandraMessageStore;
  stream: PostgresEventStream;
  checkpoint: PostgresCheckpoint;
  leases: PostgresPartitionLeases;
  close: () => Promise<void>;
}

/** A keyspace and a database of its own. */
async function openStores(): Promise<Stores> {
  const adminUrl = process.env['POSTGRES_ADMIN_URL'];
  if (!adminUrl) throw new Error('POSTGRES_ADMIN_URL is not set: run `npm run test:cluster`.');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = async (sql: string): Promise<void> => {
    const connection = new pg.Client(adminUrl);
    await connection.connect();
    await connection.query(sql).finally(() => connection.end());
  };
  await admin(`CREATE DATABASE ${name}`);
  const url = new URL(adminUrl);
  url.pathname = name;
  const database = await openDatabase({ url: url.href, poolSize: 4 });
  const keyspace = await openTestKeyspace();
  const { pool } = database;
  const leases = new PostgresPartitionLeases(pool);
  await leases.ensurePartitions(PARTITIONS);
  return {
    client: keyspace.client,
    pool,
    store: new CassandraMessageStore(keyspace.client),
    stream: new PostgresEventStream(pool),
    checkpoint: new PostgresCheckpoint(pool),
    leases,
    close: async () => {
      await keyspace.close();
      await database.close();
      await admin(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

batchCommitContract('staged, on Cassandra and Postgres', async () => {
  const stores = await openStores();
  return { ...stores, commit: new StagedBatchCommit(stores), journals: false };
});

/** Records that a broker keeps: they are durable, and have their places and times, before they are decided. */
class KeptRecords extends CommandLog {
  override readonly partitions = PARTITIONS;
  override readonly durableAt = 'append';
  readonly records: LogRecord[] = [];

  override async append(records: readonly CommandRecord[]): Promise<void> {
    for (const record of records) {
      const offset = this.records.length;
      const at = START_MS + offset;
      this.records.push({ partition: PARTITION, offset, at, payload: JSON.stringify(record), record });
    }
  }

  override withdraw(): boolean {
    return false;
  }

  override async read(): Promise<LogRecord[]> {
    return this.records;
  }

  override committed(): void {}

  override lag(): number {
    return 0;
  }

  override ends(): Positions {
    return new Map([[PARTITION, this.records.length]]);
  }
}

/** A process that ends just before its checkpoint. */
class EndsBeforeCheckpoint extends Checkpoint {
  ended = false;

  constructor(private readonly real: Checkpoint) {
    super();
  }

  override async commit(write: CheckpointWrite): Promise<CheckpointResult> {
    if (this.ended) throw new Error('the process has ended');
    return this.real.commit(write);
  }

  override load: Checkpoint['load'] = (ids, expected) => this.real.load(ids, expected);
  override progress: Checkpoint['progress'] = (partitions) => this.real.progress(partitions);
}

describe('a partition owner on Cassandra and Postgres', () => {
  let stores: Stores;
  const log = new KeptRecords();
  const replies = new MemoryReplies();
  beforeAll(async () => {
    stores = await openStores();
  });
  afterAll(async () => stores.close());

  const troubles: string[] = [];
  async function ownerWith(
    commit: BatchCommit,
    checkpoint: Checkpoint,
    store: MessageStore = stores.store,
  ): Promise<PartitionOwner> {
    const { stream, leases } = stores;
    const broadcast = new MemoryBroadcast();
    const metrics = new NoPipelineMetrics();
    const ports = { log, commit, checkpoint, stream, store, broadcast, replies, metrics };
    const onTrouble = (what: string): void => void troubles.push(what);
    const owner = new PartitionOwner(ports, { backoffMs: { first: 1, longest: 5 }, onTrouble });
    await owner.take(await leases.claim('test', [PARTITION], true));
    return owner;
  }

  let asked = 0;
  function ask(actorId: string, command: ConversationCommand): Promise<Outcome | null> {
    const commandId = `command-${++asked}`;
    const origin = { processId: replies.processId, connectionId: null };
    const outcome = replies.expect(commandId, 30_000);
    const placed = { version: 1, commandId, conversationId: CONVERSATION, actorId, origin, command } as const;
    void log.append([{ ...placed, submittedAt: START_MS }]);
    return outcome;
  }

  /** Every cell with its write timestamp, and every event. */
  async function everything(): Promise<unknown> {
    const rows = async (cql: string): Promise<unknown> => {
      const result = await stores.client.execute(cql);
      return result.rows.map((row) => row.values().map(String));
    };
    const cells = ['rev', 'content', 'media', 'reactions', 'edited_at', 'deleted_at', 'text_bytes', 'long_text'];
    const { rows: events } = await stores.pool.query('SELECT * FROM event_stream ORDER BY "offset", index');
    return {
      messages: await rows(
        `SELECT seq, message_id, client_msg_id, sent_at, ${cells.flatMap((cell) => [cell, `writetime(${cell})`]).join()} FROM message`,
      ),
      places: await rows('SELECT message_id, conversation_id, seq FROM message_place'),
      changes: await rows('SELECT rev, seq, message_id FROM message_change'),
      keys: await rows('SELECT client_msg_id, message_id, seq, rev, writetime(seq) FROM sent_key'),
      events,
    };
  }

  it('writes the same rows and ids again after a crash between the stores and the checkpoint', async () => {
    const checkpoint = new EndsBeforeCheckpoint(stores.checkpoint);
    const former = await ownerWith(new StagedBatchCommit({ ...stores, checkpoint }), checkpoint);
    void ask(user('a'), {
      type: 'create-conversation',
      conversationType: 'group',
      name: null,
      memberIds: [user('b')],
    });
    const first = ask(user('a'), send('1'));
    const second = ask(user('b'), send('2', 'Long '.repeat(2_000)));
    await former.process(log.records);
    await former.settle();
    former.publish();
    const committed = log.records.length;
    const facts = async (sent: Promise<Outcome | null>, authorId: string) => {
      const { messageId, seq } = (await sent) as Extract<Outcome, { kind: 'sent' }>;
      return { messageId, seq, authorId };
    };
    const one = await facts(first, user('a'));
    const two = await facts(second, user('b'));

    const repeated = ask(user('a'), send('1'));
    const third = ask(user('a'), send('3'));
    void ask(user('a'), { type: 'edit-message', message: one, content: 'edited' });
    void ask(user('b'), { type: 'react', message: one, emoji: '👍', present: true });
    void ask(user('b'), { type: 'delete-message', message: two });
    void ask(user('b'), { type: 'edit-message', message: two, content: 'after its deletion' });
    void ask(user('b'), { type: 'react', message: one, emoji: '👍', present: false });
    const again = ask(user('a'), send('3'));
    checkpoint.ended = true;
    former.stopRetrying();
    await former.process(log.records.slice(committed));
    await expect(former.settle()).rejects.toThrow('the process has ended');
    const left = await everything();

    const owner = await ownerWith(new StagedBatchCommit(stores), stores.checkpoint);
    // Cut otherwise than before: every record alone.
    for (const record of log.records.slice(committed)) {
      await owner.process([record]);
      await owner.settle();
      owner.publish();
    }
    expect(await everything()).toEqual(left);
    const { messageId } = (await third) as Extract<Outcome, { kind: 'sent' }>;
    expect(await repeated).toMatchObject({ duplicate: true, messageId: one.messageId });
    expect(await again).toMatchObject({ duplicate: true, messageId });
    expect(await third).toMatchObject({ duplicate: false, seq: 3 });
    const range = { fromSeq: 1, toSeq: 3 };
    const read = { conversationId: CONVERSATION, range, order: 'oldest-first', limit: 9, bytesMax: 1e6 } as const;
    expect(await stores.store.read(read)).toMatchObject([
      { seq: 1, rev: 9, content: 'edited', reactions: [] },
      { seq: 2, rev: 8, content: '', deletedAt: expect.any(String) },
      { seq: 3, rev: 4, messageId },
    ]);
  });

  it('waits, and keeps its partitions, while the store that it must ask is away', async () => {
    const { store, checkpoint } = stores;
    let away = 3;
    const findUnlessAway: MessageStore['find'] = (conversationId, ids) => {
      if (away-- > 0) throw new DomainError('store_unavailable');
      return store.find(conversationId, ids);
    };
    const leaving = new Proxy(store, {
      get: (target, name) => (name === 'find' ? findUnlessAway : Reflect.get(target, name).bind(target)),
    });
    const owner = await ownerWith(new StagedBatchCommit(stores), checkpoint, leaving);
    const range = { fromSeq: 3, toSeq: 3 };
    const read = { conversationId: CONVERSATION, range, order: 'oldest-first', limit: 1, bytesMax: 1 } as const;
    const [message] = await store.read(read);
    const { messageId, seq, senderId: authorId } = message!;
    const from = log.records.length;
    const changed = ask(authorId, { type: 'edit-message', message: { messageId, seq, authorId }, content: 'later' });
    troubles.length = 0;
    await owner.process(log.records.slice(from));
    await owner.settle();
    owner.publish();
    expect(await changed).toMatchObject({ kind: 'changed' });
    expect(await store.read(read)).toMatchObject([{ content: 'later' }]);
    expect(troubles).toEqual(Array.from({ length: 3 }, () => 'the message store cannot be read'));
  });
});
