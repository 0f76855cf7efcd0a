import {
  COMMAND_RECORD_VERSION,
  type CommitResult,
  type CommandRecord,
  type ConversationCommand,
  type DecidedBatch,
  type LiveEvent,
  NoPipelineMetrics,
  type PipelineMetrics,
  PartitionOwner,
  type PartitionOwnerState,
  partitionOf,
  PartitionRunner,
} from '@parley/domain';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { send, user } from '../../../../domain/src/conversation/testing/given-conversation.js';
import { MemoryBroadcast } from '../../memory/memory-broadcast.js';
import { MemoryReplies } from '../../memory/memory-replies.js';
import { CommitConnection } from '../batch-commit/commit-connection.js';
import { PostgresBatchCommit } from '../batch-commit/postgres-batch-commit.js';
import { PostgresCommandLog } from '../command-log/postgres-command-log.js';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { PostgresEventStream } from '../event-stream/postgres-event-stream.js';
import { PostgresMessageStore } from '../message-store/postgres-message-store.js';
import { PostgresCheckpoint } from './postgres-checkpoint.js';
import { PostgresPartitionLeases } from './postgres-partition-leases.js';

const PARTITIONS = 12;
const LEASE_MS = 1_500;
const RENEWAL_MS = 100;
const SOON = { timeout: 10_000, interval: 20 };
const CONVERSATIONS = Array.from(
  { length: 24 },
  (_, i) => `00000000-0000-4000-8000-0000000f${String(i).padStart(4, '0')}`,
);

/** What each partition went through in a process. */
type States = Map<number, PartitionOwnerState[]>;

function recording(states: States): PipelineMetrics {
  return Object.assign(new NoPipelineMetrics(), {
    partitionOwnerState: (partition: number, state: PartitionOwnerState): void => {
      states.set(partition, [...(states.get(partition) ?? []), state]);
    },
  });
}

interface Worker {
  runner: PartitionRunner;
  live: LiveEvent[];
  troubles: string[];
  states: States;
  /** Neither renews nor reads until what this answers is called: a process that is stopped by a signal. */
  freeze(): () => void;
  /** Does not renew until what this answers is called. */
  holdRenewals(): () => void;
  stop(): Promise<void>;
  /** Ends without a word. */
  kill(): Promise<void>;
}

class WatchedCommit extends PostgresBatchCommit {
  constructor(
    connection: CommitConnection,
    private readonly afterCommit: (batch: DecidedBatch) => Promise<void>,
  ) {
    super(connection);
  }

  override async commit(batch: DecidedBatch): Promise<CommitResult> {
    const result = await super.commit(batch);
    await this.afterCommit(batch);
    return result;
  }
}

describe('workers that share the partitions of one Postgres', () => {
  let server: TestPostgres;
  let database: Database;
  let log: PostgresCommandLog;
  const running = new Set<Worker>();
  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 10 });
    const { pool } = database;
    const partitions = await new PostgresPartitionLeases(pool).ensurePartitions(PARTITIONS);
    log = await PostgresCommandLog.open({ pool, url: server.url, partitions, pendingRecordsMax: 10_000 });
  });
  beforeEach(async () => {
    const tables = 'message, sent_key, conversation, conversation_member, event_stream, command_log, pipeline_worker';
    await database.pool.query(`TRUNCATE ${tables}`);
    await database.pool.query('UPDATE partition_progress SET next_offset = 0, owner = NULL, lease_until = NULL');
    await database.pool.query('UPDATE command_log_end SET next_offset = 0');
  });
  afterEach(async () => {
    await Promise.all([...running].map((worker) => worker.stop()));
  });
  afterAll(async () => {
    await log.close();
    await database.close();
    await server.stop();
  });

  /** What renewals or readings of one worker pass. */
  function gate(): { pass: () => Promise<void>; close: () => () => void } {
    let open: Promise<void> = Promise.resolve();
    return {
      pass: () => open,
      close: () => {
        let release = (): void => {};
        open = new Promise((resolve) => (release = resolve));
        return release;
      },
    };
  }

  async function work(
    ownerId: string,
    afterCommit = async (_batch: DecidedBatch): Promise<void> => {},
  ): Promise<Worker> {
    const { pool } = database;
    const [reading, renewals] = [gate(), gate()];
    const leases = new (class extends PostgresPartitionLeases {
      override attend(owner: string) {
        return renewals.pass().then(() => super.attend(owner));
      }
    })(pool, LEASE_MS);
    const connection = new CommitConnection(server.url);
    const commit = new WatchedCommit(connection, afterCommit);
    const broadcast = new MemoryBroadcast();
    const live: LiveEvent[] = [];
    broadcast.subscribe((events) => live.push(...events));
    const [troubles, states]: [string[], States] = [[], new Map()];
    const onTrouble = (what: string): void => void troubles.push(what);
    const ports = {
      log,
      broadcast,
      commit,
      replies: new MemoryReplies(),
      checkpoint: new PostgresCheckpoint(pool),
      stream: new PostgresEventStream(pool),
      store: new PostgresMessageStore(pool),
      metrics: recording(states),
    };
    const owner = new PartitionOwner(ports, { onTrouble, backoffMs: { first: 1, longest: 5 } });
    const options = { ownerId, partitions: PARTITIONS, exclusive: false, onTrouble, renewalMs: RENEWAL_MS };
    const runner = new PartitionRunner(owner, leases, options);
    await runner.start();
    let stopping = false;
    const consume = async (): Promise<void> => {
      while (!stopping) {
        await runner.settle();
        const records = await log.read(runner.positions(), 100, 20);
        await reading.pass();
        if (!stopping) await runner.process(records);
      }
    };
    const consuming = consume();
    const end = async (last: () => Promise<void>): Promise<void> => {
      if (!running.delete(worker)) return;
      stopping = true;
      await consuming;
      await last();
      await connection.close();
    };
    const worker: Worker = {
      runner,
      live,
      troubles,
      states,
      freeze: () => {
        const opens = [reading.close(), renewals.close()];
        return () => opens.forEach((open) => open());
      },
      holdRenewals: () => renewals.close(),
      stop: () => end(() => runner.stop()),
      kill: () =>
        end(async () => {
          vi.spyOn(leases, 'leave').mockResolvedValue();
          await runner.stop();
        }),
    };
    running.add(worker);
    return worker;
  }

  const owned = (...workers: Worker[]): number[] => workers.map(({ runner }) => runner.owned().size);
  const allOwned = (...workers: Worker[]): Set<number> => new Set(workers.flatMap(({ runner }) => [...runner.owned()]));

  let asked = 0;
  function record(conversationId: string, actorId: string, command: ConversationCommand): CommandRecord {
    const origin = { processId: 'test', connectionId: null };
    const base = { version: COMMAND_RECORD_VERSION, commandId: `test:${++asked}`, submittedAt: 0 } as const;
    return { ...base, conversationId, actorId, origin, command };
  }
  const create = (): Promise<void> =>
    log.append(
      CONVERSATIONS.map((conversationId) =>
        record(conversationId, user('a'), {
          type: 'create-conversation',
          conversationType: 'group',
          name: null,
          memberIds: [user('b')],
        }),
      ),
    );
  const sendEverywhere = (id: string): Promise<void> =>
    log.append(CONVERSATIONS.map((conversationId) => record(conversationId, user('a'), send(id))));

  async function stored(conversationId: string): Promise<{ seq: number; id: string }[]> {
    const { rows } = await database.pool.query<{ seq: string; client_msg_id: string }>(
      'SELECT seq, client_msg_id FROM message WHERE conversation_id = $1 ORDER BY seq',
      [conversationId],
    );
    return rows.map((row) => ({ seq: Number(row.seq), id: row.client_msg_id }));
  }

  it('share them evenly as workers join and leave, and every command is decided once and in its order', async () => {
    const one = await work('one');
    expect(owned(one)).toEqual([12]);
    await create();
    const sent: string[] = [];
    let sending = true;
    const traffic = (async (): Promise<void> => {
      while (sending) {
        sent.push(`m${sent.length}`);
        await sendEverywhere(sent.at(-1) ?? '');
      }
    })();
    const two = await work('two');
    await vi.waitFor(() => expect(owned(one, two)).toEqual([6, 6]), SOON);
    const three = await work('three');
    await vi.waitFor(() => expect(owned(one, two, three)).toEqual([4, 4, 4]), SOON);
    expect(allOwned(one, two, three).size).toBe(PARTITIONS);

    const began = performance.now();
    await one.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    await vi.waitFor(() => expect(owned(two, three)).toEqual([6, 6]), SOON);
    await two.kill();
    await vi.waitFor(() => expect(owned(three)).toEqual([12]), SOON);

    sending = false;
    await traffic;
    for (const conversationId of CONVERSATIONS) {
      const expected = sent.map((id, i) => ({ seq: i + 1, id }));
      await vi.waitFor(async () => expect(await stored(conversationId)).toEqual(expected), SOON);
    }
    // Nothing went wrong on the way: partitions were handed over between batches.
    expect([one, two, three].map(({ troubles }) => troubles)).toEqual([[], [], []]);
    const beginnings = [...three.states.values()].map((states) => states.slice(0, 2).join());
    expect(new Set(beginnings)).toEqual(new Set(['starting,owning']));
  }, 60_000);

  it('tell clients of a new owner where the conversations stand that changed last', async () => {
    const one = await work('one');
    await create();
    await sendEverywhere('1');
    await vi.waitFor(async () => expect(await stored(CONVERSATIONS.at(-1) ?? '')).toHaveLength(1), SOON);
    await vi.waitFor(() => expect(one.live).toHaveLength(2 * CONVERSATIONS.length), SOON);
    const two = await work('two');
    await vi.waitFor(() => expect(owned(one, two)).toEqual([6, 6]), SOON);
    const theirs = CONVERSATIONS.filter((id) => two.runner.owned().has(partitionOf(id, PARTITIONS)));
    const heads = two.live.flatMap((event) => (event.type === 'conversations-moved' ? event.heads : []));
    expect(new Set(heads)).toEqual(
      new Set(theirs.map((conversationId) => ({ conversationId, lastSeq: 1, lastRev: 2 }))),
    );
    // The one that keeps its part still knows it: its next messages go on from there.
    await sendEverywhere('2');
    for (const conversationId of CONVERSATIONS) {
      const expected = [1, 2].map((seq) => ({ seq, id: `${seq}` }));
      await vi.waitFor(async () => expect(await stored(conversationId)).toEqual(expected), SOON);
    }
    expect([...one.troubles, ...two.troubles]).toEqual([]);
  });

  it('fence one that was paused for longer than its lease, and take it back with its share', async () => {
    const [one, two] = [await work('one'), await work('two')];
    await vi.waitFor(() => expect(owned(one, two)).toEqual([6, 6]), SOON);
    await create();
    await sendEverywhere('1');
    for (const conversationId of CONVERSATIONS) {
      await vi.waitFor(async () => expect(await stored(conversationId)).toHaveLength(1), SOON);
    }
    const resume = one.freeze();
    await sendEverywhere('2');
    await vi.waitFor(() => expect(owned(two)).toEqual([12]), SOON);
    await vi.waitFor(async () => expect(await stored(CONVERSATIONS[0] ?? '')).toHaveLength(2), SOON);
    await sendEverywhere('3');
    // It goes on with the batch that it was about to decide: the same records, decided by the other one since.
    resume();
    await vi.waitFor(() => expect(one.troubles).toContain('fenced'), SOON);
    await vi.waitFor(() => expect(owned(one, two)).toEqual([6, 6]), SOON);
    await sendEverywhere('4');
    for (const conversationId of CONVERSATIONS) {
      const expected = [1, 2, 3, 4].map((seq) => ({ seq, id: `${seq}` }));
      await vi.waitFor(async () => expect(await stored(conversationId)).toEqual(expected), SOON);
    }
    expect(two.troubles).toEqual([]);
  });

  /** As a rebuild does it, or an owner that took it while nobody renewed. */
  const fence = (partitions: readonly number[]): Promise<unknown> =>
    database.pool.query(
      `UPDATE partition_progress SET epoch = epoch + 1, owner = NULL, lease_until = NULL WHERE partition = ANY ($1)`,
      [partitions],
    );

  it.each(['decides a conversation that it knows', 'loads a conversation'])(
    'drop the fenced partition alone, where one %s there, and go on with the others',
    async (when) => {
      const [first] = CONVERSATIONS as [string];
      const fenced = partitionOf(first, PARTITIONS);
      let one = await work('one');
      await create();
      await sendEverywhere('1');
      for (const conversationId of CONVERSATIONS) {
        await vi.waitFor(async () => expect(await stored(conversationId)).toHaveLength(1), SOON);
      }
      if (when === 'loads a conversation') {
        await one.stop();
        one = await work('again');
      }
      const renew = one.holdRenewals();
      await fence([fenced]);
      await sendEverywhere('2');
      await vi.waitFor(() => expect(one.troubles).toEqual(['fenced']), SOON);
      expect(owned(one)).toEqual([PARTITIONS - 1]);
      expect(one.runner.owned().has(fenced)).toBe(false);
      renew();
      for (const conversationId of CONVERSATIONS) {
        const expected = [1, 2].map((seq) => ({ seq, id: `${seq}` }));
        await vi.waitFor(async () => expect(await stored(conversationId)).toEqual(expected), SOON);
      }
      const [took, dropped] = [['starting', 'owning'], ['stopped']];
      expect(one.states.get(fenced)).toEqual([...took, ...dropped, ...took]);
      one.states.delete(fenced);
      expect([...one.states.values()]).toEqual(Array.from({ length: PARTITIONS - 1 }, () => took));
    },
  );

  it('take over what another one leaves but for a partition whose log has lost records, which nobody gets', async () => {
    const [one, two] = [await work('one'), await work('two')];
    await vi.waitFor(() => expect(owned(one, two)).toEqual([6, 6]), SOON);
    await create();
    for (const conversationId of CONVERSATIONS) {
      await log.append([record(conversationId, user('a'), send('1'))]);
      await vi.waitFor(async () => expect(await stored(conversationId)).toHaveLength(1), SOON);
    }
    const renew = two.holdRenewals();
    const [lost] = [...one.runner.owned()] as [number];
    await one.stop();
    const { rows } = await database.pool.query<{ next_offset: string }>(
      'UPDATE partition_progress SET next_offset = next_offset + 1000 WHERE partition = $1 RETURNING next_offset',
      [lost],
    );
    expect(Number(rows[0]?.next_offset)).toBeGreaterThan(1_000);
    renew();
    await vi.waitFor(() => expect(owned(two)).toEqual([PARTITIONS - 1]), SOON);
    expect(two.runner.owned().has(lost)).toBe(false);
    expect(two.troubles).toContain('a partition cannot be taken');
    expect(new Set(two.troubles)).toEqual(new Set(['a partition cannot be taken']));
    await database.pool.query('UPDATE partition_progress SET next_offset = next_offset - 1000 WHERE partition = $1', [
      lost,
    ]);
    await vi.waitFor(() => expect(owned(two)).toEqual([PARTITIONS]), { timeout: 15_000, interval: 50 });
  }, 60_000);

  it('tell clients of what was committed before the rest of its batch was fenced', async () => {
    const [bad, ...good] = CONVERSATIONS as [string, ...string[]];
    let sent = false;
    const one = await work('one', async ({ checkpoint }) => {
      if (!sent) return;
      sent = false;
      const committed = new Set(checkpoint.partitions.map(({ partition }) => partition));
      await fence(Array.from({ length: PARTITIONS }, (_, p) => p).filter((p) => !committed.has(p)));
    });
    await create();
    await sendEverywhere('1');
    await vi.waitFor(() => expect(one.live).toHaveLength(2 * CONVERSATIONS.length), SOON);
    // The database refuses the whole batch for one message, so its halves are committed one after the other.
    const refused = record(bad, user('a'), send('2', 'NUL \0'));
    sent = true;
    await log.append([...good.map((conversationId) => record(conversationId, user('a'), send('2'))), refused]);
    const told = (): string[] =>
      one.live.flatMap((event) =>
        event.type === 'message-sent' && event.message.clientMsgId === '2' ? event.conversationId : [],
      );
    await vi.waitFor(() => expect(told().toSorted()).toEqual(good), SOON);
    expect(one.troubles).toContain('fenced');
    const { rows } = await database.pool.query('SELECT reason FROM dead_letter');
    expect(rows).toEqual([{ reason: expect.stringContaining('refuses the data') }]);
  });
});
