import { randomUUID } from 'node:crypto';
import { Client } from 'cassandra-driver';
import { CassandraMessageStore } from '../../libs/infra/src/cassandra/index.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineNode } from '../../scripts/engines/index.mjs';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { figuresAt } from '../clients/served-app.js';
import { TestUser } from '../clients/test-user.js';

const MESSAGES = 60;
/** A node that starts on a busy machine, and a driver that finds it. */
const BACK = { timeout: 90_000, interval: 250 };
const TABLES = ['message', 'message_place', 'message_bucket', 'message_change', 'message_change_bucket', 'sent_key'];

let cluster: TrialCluster;
let cassandra: EngineNode;

/** A Cassandra of its own, which is killed here; log and events in Postgres. */
beforeAll(async () => {
  const environment = { MESSAGE_STORE: 'cassandra', PARTITIONS: '4', CASSANDRA_REAPPEND_SECONDS: '900' };
  cluster = await TrialCluster.start(['cassandra'], { workers: 2, apis: 1 }, environment);
  cassandra = cluster.engine;
}, 180_000);
afterAll(async () => {
  await cluster?.stop();
}, 60_000);

/** What a crash would have taken, and more: every row that the store has. */
async function loseEverything(): Promise<void> {
  const keyspace = cluster.environment['CASSANDRA_KEYSPACE'] as string;
  const client = new Client({ contactPoints: [cassandra.address], localDataCenter: 'datacenter1', keyspace });
  try {
    for (const table of TABLES) await client.execute(`TRUNCATE ${table}`, [], { readTimeout: 30_000 });
  } finally {
    await client.shutdown();
  }
}

/** Those that were marked in the last run of the node. */
async function wholePartitions(): Promise<number[]> {
  const keyspace = cluster.environment['CASSANDRA_KEYSPACE'] as string;
  const client = new Client({ contactPoints: [cassandra.address], localDataCenter: 'datacenter1', keyspace });
  try {
    const run = await new CassandraMessageStore(client).currentRun();
    const { rows } = await client.execute('SELECT partition, run FROM whole_partition');
    const whole = rows.filter((row) => row['run'] === run).map((row) => row['partition'] as number);
    return whole.toSorted((one, other) => one - other);
  } finally {
    await client.shutdown();
  }
}

async function reappended(): Promise<number> {
  const figures = await Promise.all(cluster.of('worker').map(({ url }) => figuresAt(url)));
  return figures.reduce((sum, text) => sum + Number(/^messages_reappended_total (\d+)$/m.exec(text)?.[1]), 0);
}

describe('a store whose node was killed and is back without what it had acknowledged', () => {
  it('has the messages again as they were, with their changes and the keys of their sends', async () => {
    const [api] = cluster.of('api') as [RoleProcess];
    const [ada, bob] = [await TestUser.signUp(api.url), await TestUser.signUp(api.url)];
    const rooms = await Promise.all(Array.from({ length: 6 }, () => ada.group([bob])));
    const path = (i: number): string => `/v1/conversations/${rooms[i % rooms.length]!.conversationId}/messages`;
    const key = randomUUID();
    const sends = Array.from({ length: MESSAGES }, (_, i) => ({ content: `message ${i}`, clientMsgId: `${key}-${i}` }));
    const sent = [];
    for (const [i, body] of sends.entries()) sent.push((await ada.rest.call('POST', path(i), { body })).json);
    const ids = sent.map((message) => (message as { messageId: string }).messageId);
    expect((await ada.rest.call('PATCH', `${path(1)}/${ids[1]}`, { body: { content: 'edited' } })).status).toBe(200);
    expect((await ada.rest.call('DELETE', `${path(2)}/${ids[2]}`)).status).toBe(200);
    expect((await bob.rest.call('PUT', `${path(3)}/${ids[3]}/reactions/👍`)).status).toBe(200);
    const histories = async (): Promise<unknown> =>
      Promise.all(rooms.map(async ({ conversationId }) => (await bob.history(conversationId)).items));
    const before = await histories();

    await loseEverything();
    expect(((await histories()) as unknown[][]).flat()).toEqual([]);
    const countBefore = await reappended();
    await cassandra.kill();
    // The log and the events go on without it; an answer comes all the same, and says what is missing.
    const unread = await bob.rest.call('GET', path(0));
    expect([unread.status, unread.headers.get('retry-after')]).toEqual([503, '1']);
    const accepted = await ada.rest.call('POST', path(0), { body: { content: 'meanwhile', clientMsgId: `${key}-m` } });
    expect(accepted.status).toBe(202);
    const health = await fetch(`${api.url}/health/ready`);
    expect([health.status, await health.json()]).toMatchObject([200, { missing: ['cassandra'] }]);

    await cassandra.start();
    await expect.poll(async () => ((await histories()) as unknown[][]).flat().length, BACK).toBe(MESSAGES + 1);
    const after = (await histories()) as { content: string }[][];
    expect(after.map((items) => items.filter(({ content }) => content !== 'meanwhile'))).toEqual(before);
    // A repeated send finds the first one.
    const again = await ada.rest.call('POST', path(5), { body: sends[5] });
    expect([again.status, (again.json as { messageId: string }).messageId]).toEqual([200, ids[5]]);
    await expect.poll(reappended, BACK).toBeGreaterThanOrEqual(countBefore + MESSAGES);
  }, 240_000);

  it('is written again by workers that start after its node did, and not by those that start while it runs', async () => {
    const [api] = cluster.of('api') as [RoleProcess];
    const [ada, bob] = [await TestUser.signUp(api.url), await TestUser.signUp(api.url)];
    const room = await ada.group([bob]);
    const path = `/v1/conversations/${room.conversationId}/messages`;
    const body = { content: 'kept', clientMsgId: randomUUID() };
    expect((await ada.rest.call('POST', path, { body })).status).toBe(201);
    const history = async (): Promise<unknown> => (await bob.history(room.conversationId)).items;
    const before = await history();
    const workers = cluster.of('worker');
    await expect.poll(wholePartitions, BACK).toEqual([0, 1, 2, 3]);

    // Nothing is missing, however the worker ended: what it finds whole it leaves alone.
    for (const end of ['stop', 'destroy'] as const) {
      await Promise.all(workers.map((worker) => worker[end]()));
      await Promise.all(workers.map((worker) => cluster.group.startOne(worker)));
      const told = (): boolean => workers.every((worker) => worker.lastWords.includes('nothing is appended again'));
      await expect.poll(told, BACK).toBe(true);
      expect(await reappended()).toBe(0);
    }
    await Promise.all(workers.map((worker) => worker.stop()));
    await loseEverything();
    await cassandra.kill();
    await cassandra.start();
    await Promise.all(workers.map((worker) => cluster.group.startOne(worker)));
    await expect.poll(history, BACK).toEqual(before);
    expect(await reappended()).toBeGreaterThan(0);
  }, 240_000);
});
