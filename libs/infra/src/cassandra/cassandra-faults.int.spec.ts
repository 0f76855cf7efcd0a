import type { Message } from '@parley/contracts';
import type { DomainError, MessageStore, MessageWrite } from '@parley/domain';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineNode, type StartedEngines, startEngines } from '../../../../scripts/engines/index.mjs';
import { type CassandraSettings, connectCassandra } from './cassandra-client.js';
import { checkCassandra } from './cassandra-condition.js';
import { CassandraMessageStore } from './cassandra-message-store.js';
import { migrateCassandra } from './cassandra-schema.js';
import { CASSANDRA_MIGRATIONS } from './migrations/index.js';
import { eventually } from './testing/eventually.testing.js';
import { newConversation, sent } from '../../../domain/src/ports/testing/written-messages.js';

/** 2 s are promised; half a second is for a machine that does much else. */
const ANSWER_MS_MAX = 2_500;
/** A node that was killed reads its commit log and starts; seconds where nothing else runs. */
const RESTART_MS_MAX = 240_000;
const EVERYTHING = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };

describe('a Cassandra node that fails', () => {
  let engines: StartedEngines;
  let node: EngineNode;
  let settings: CassandraSettings;
  let client: Client;
  let store: MessageStore;
  const conversationId = newConversation();
  beforeAll(async () => {
    engines = await startEngines(['cassandra']);
    node = engines.nodes[0] as EngineNode;
    settings = { contactPoints: [node.address], localDataCenter: 'datacenter1', keyspace: 'parley' };
    await migrateCassandra(settings, { datacenter1: 1 });
    client = await connectCassandra(settings);
    store = new CassandraMessageStore(client);
    await store.append([sent(conversationId, 1)]);
  });
  afterAll(async () => {
    await client?.shutdown();
    await engines?.stop();
  });

  const firstPage = (): Promise<readonly Message[]> =>
    store.read({ conversationId, range: EVERYTHING, order: 'newest-first', limit: 1, bytesMax: 1_000 });
  const expectUnavailable = async (asked: () => Promise<unknown>): Promise<void> => {
    const began = performance.now();
    const error = await asked().then(
      () => null,
      (reason: DomainError) => reason,
    );
    expect(error).toMatchObject({ code: 'store_unavailable', retryAfterMs: expect.any(Number) });
    expect(performance.now() - began).toBeLessThan(ANSWER_MS_MAX);
  };
  const everyCall = (): (() => Promise<unknown>)[] => [
    firstPage,
    () => store.find(conversationId, ['1']),
    () => store.conversationOf('1'),
    () => store.findSends([{ conversationId, senderId: conversationId, clientMsgId: 'c' }]),
    () => store.changes({ conversationId, afterRev: 0, range: EVERYTHING, limit: 1, bytesMax: 1 }),
    () => checkCassandra(client),
  ];

  it(
    'has lost nothing that it acknowledged, when it was killed while messages came',
    async () => {
      const acknowledged: MessageWrite[] = [];
      const load = newConversation();
      let seq = 0;
      const writer = async (): Promise<void> => {
        for (;;) {
          const write = sent(load, ++seq);
          try {
            await store.append([write]);
          } catch {
            return;
          }
          acknowledged.push(write);
        }
      };
      const writers = Promise.all(Array.from({ length: 16 }, writer));
      await eventually(async () => acknowledged.length >= 500);
      await node.kill();
      await writers;
      await node.start();
      const kept = new Set<string>();
      await eventually(async () => {
        for (let fromSeq = 1; fromSeq <= seq; fromSeq += 500) {
          const range = { fromSeq, toSeq: fromSeq + 499 };
          const read = { conversationId: load, range, order: 'oldest-first', limit: 500, bytesMax: 1e7 } as const;
          for (const message of await store.read(read)) kept.add(message.messageId);
        }
        return true;
      });
      expect(acknowledged.filter(({ message }) => !kept.has(message.messageId))).toEqual([]);
      expect(acknowledged.length).toBeGreaterThanOrEqual(500);
    },
    RESTART_MS_MAX,
  );

  it(
    'is answered for within 2 s while it is away, and used again when it is back',
    async () => {
      await node.kill();
      for (const call of everyCall()) await expectUnavailable(call);
      const refused = store.append([sent(conversationId, 2)]);
      await expect(refused).rejects.toMatchObject({ code: 'store_unavailable' });
      await node.start();
      await eventually(async () => (await firstPage()).length === 1);
      await store.append([sent(conversationId, 2)]);
    },
    RESTART_MS_MAX,
  );

  it(
    'is found again when it dies while the driver reads on it which nodes there are',
    async () => {
      const control = (client as unknown as { controlConnection: { _refresh: () => Promise<void> } }).controlConnection;
      node.pause();
      const searches = [control._refresh()];
      // It has asked, and waits for the answer.
      await new Promise((resolve) => setImmediate(resolve));
      await node.kill();
      searches.push(control._refresh());
      expect(await Promise.allSettled(searches)).toEqual([
        { status: 'fulfilled', value: undefined },
        { status: 'fulfilled', value: undefined },
      ]);
      await node.start();
      await eventually(async () => (await firstPage()).length === 1);
    },
    RESTART_MS_MAX,
  );

  it(
    'only delays a process that makes the schema when it dies meanwhile',
    async () => {
      const fresh = { ...settings, keyspace: 'parley_later' };
      const migrating = migrateCassandra(fresh, { datacenter1: 1 }, CASSANDRA_MIGRATIONS, RESTART_MS_MAX);
      migrating.catch(() => {});
      const began = "SELECT * FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'schema_migration'";
      await eventually(async () => (await client.execute(began, [fresh.keyspace])).rowLength === 1);
      await node.kill();
      await node.start();
      expect(await migrating).toEqual(CASSANDRA_MIGRATIONS.map(({ version }) => version));
      expect(await migrateCassandra(fresh, { datacenter1: 1 })).toEqual([]);
    },
    RESTART_MS_MAX,
  );

  it(
    'has returned when it has started anew, and not when the driver merely lost it while it was slow',
    async () => {
      const told: number[] = [];
      const heard: string[] = [];
      for (const event of ['hostDown', 'hostUp', 'hostAdd']) client.on(event, () => heard.push(event));
      const stop = store.onNodeReturned((awaySinceMs) => told.push(awaySinceMs));
      // Until it is known as what it has started, any return counts.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      node.pause();
      const unanswered = Promise.allSettled(Array.from({ length: 100 }, firstPage));
      await eventually(async () => heard.includes('hostDown'));
      node.resume();
      await unanswered;
      await eventually(async () => heard.some((event) => event !== 'hostDown') && (await firstPage()).length === 1);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(told).toEqual([]);
      const before = Date.now();
      await node.kill();
      await node.start();
      await eventually(async () => told.length > 0);
      expect(told[0]).toBeGreaterThanOrEqual(before);
      expect(told).toHaveLength(1);
      stop?.();
    },
    RESTART_MS_MAX,
  );

  it('is answered for within 2 s while it is frozen, each time, and used again when it goes on', async () => {
    node.pause();
    try {
      for (const call of everyCall()) await expectUnavailable(call);
    } finally {
      node.resume();
    }
    await eventually(async () => (await firstPage()).length === 1);
  });
});
