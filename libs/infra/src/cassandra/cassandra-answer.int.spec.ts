import { afterAll, beforeAll, expect, it } from 'vitest';
import { CassandraMessageStore } from './cassandra-message-store.js';
import { eventually } from './testing/eventually.testing.js';
import { openTestKeyspace, type TestKeyspace } from './testing/test-keyspace.testing.js';
import { newConversation, sent } from '../../../domain/src/ports/testing/written-messages.js';

/** What the driver keeps of a node, as far as this test takes it away. */
interface DriverHost {
  isUp: () => boolean;
  pool: { connections: readonly object[] };
}

let keyspace: TestKeyspace;
beforeAll(async () => {
  keyspace = await openTestKeyspace();
});
afterAll(async () => keyspace.close());

it('a node without a connection, before the driver has noticed, counts as away for statements old and new', async () => {
  const store = new CassandraMessageStore(keyspace.client);
  const conversationId = newConversation();
  await store.append([sent(conversationId, 1)]);
  const hosts = keyspace.client.hosts.values() as unknown as DriverHost[];
  const open = hosts.map(({ pool }) => pool.connections);
  for (const { pool } of hosts) pool.connections = [];
  try {
    expect(hosts.every((host) => host.isUp())).toBe(true);
    const unavailable = { code: 'store_unavailable', retryAfterMs: expect.any(Number) as unknown };
    // Prepared already, so the driver looks for a connection to send it; then two that it has to prepare.
    await expect(store.append([sent(conversationId, 2)])).rejects.toMatchObject(unavailable);
    const unprepared = await store.find(conversationId, ['1']).catch((error: unknown) => error);
    expect(unprepared).toMatchObject({ ...unavailable, cause: { message: 'No connection available' } });
    await expect(store.conversationOf('1')).rejects.toMatchObject(unavailable);
  } finally {
    for (const [i, { pool }] of hosts.entries()) pool.connections = open[i] ?? [];
  }
  await eventually(async () => (await store.find(conversationId, ['1'])).length === 0);
});
