import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EngineNode, type StartedEngines, startCassandraCluster } from '../../../../scripts/engines/index.mjs';
import { connectCassandra } from './cassandra-client.js';
import { cassandraCondition, checkCassandra } from './cassandra-condition.js';
import { CassandraMessageStore } from './cassandra-message-store.js';
import { migrateCassandra } from './cassandra-schema.js';
import { eventually } from './testing/eventually.testing.js';
import { deleted, edited, newConversation, sent } from '../../../domain/src/ports/testing/written-messages.js';

describe('three Cassandra nodes', () => {
  let engines: StartedEngines;
  let client: Client;
  let store: CassandraMessageStore;
  const conversationId = newConversation();
  const writes = Array.from({ length: 100 }, (_, index) => sent(conversationId, index + 1));
  beforeAll(async () => {
    engines = await startCassandraCluster(3);
    const contactPoints = engines.nodes.map(({ address }) => address);
    const settings = { contactPoints, localDataCenter: 'datacenter1', keyspace: 'parley' };
    await migrateCassandra(settings, { datacenter1: 3 });
    client = await connectCassandra(settings);
    store = new CassandraMessageStore(client);
    await store.append(writes);
  }, 300_000);
  afterAll(async () => {
    await client?.shutdown();
    await engines?.stop();
  }, 60_000);

  const node = (index: number): EngineNode => engines.nodes[index] as EngineNode;
  const contents = async (): Promise<string[]> => {
    const range = { fromSeq: 1, toSeq: 1_000 };
    const messages = await store.read({ conversationId, range, order: 'oldest-first', limit: 200, bytesMax: 1e6 });
    return messages.map((message) => message.content);
  };

  it('keep three copies of everything', async () => {
    expect(await cassandraCondition(client)).toMatchObject({ replication: { datacenter1: 3 }, nodes: 3, nodesUp: 3 });
    // Each of them can be the one that is asked.
    for (const host of client.hosts.values())
      await client.execute('SELECT release_version FROM system.local', [], { host });
  });

  it('serve reads and writes while one of them is down, and that one catches up by what is read', async () => {
    const expected = writes.map(({ message }) => message.content);
    await node(2).kill();
    // Until it is known to be away a request may fail; as the pipeline does, it is made again.
    const agrees = async (wanted: readonly string[]): Promise<boolean> => isDeepStrictEqual(await contents(), wanted);
    await eventually(() => agrees(expected));
    const changes = [edited(writes[0]!, 200, 'edited meanwhile'), deleted(writes[1]!, 201)];
    const later = [...changes, sent(conversationId, 101, 'sent meanwhile')];
    await eventually(() => store.append(later).then(() => true));
    const after = ['edited meanwhile', '', ...expected.slice(2), 'sent meanwhile'];
    await eventually(() => agrees(after));
    await node(2).start();
    await eventually(async () => (await cassandraCondition(client)).nodesUp === 3, 90_000);
    // Without the second one, the first and the one that was away must agree on what was written meanwhile.
    await node(1).kill();
    await eventually(() => checkCassandra(client).then(() => true), 90_000);
    await eventually(async () => {
      expect(await contents()).toEqual(after);
      return true;
    });
  }, 240_000);

  it('say that they cannot, and not something old, when two of them are down', async () => {
    await node(2).kill();
    await expect(contents()).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(store.append([sent(conversationId, 102)])).rejects.toMatchObject({ code: 'store_unavailable' });
  }, 60_000);
});
