import { randomUUID } from 'node:crypto';
import type { Presence } from '@parley/contracts';
import { presenceRoom } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../../apps/gateway/src/testing/gateway-testing.js';
import { type Client, clientsOf } from '../../apps/gateway/src/testing/raw-clients.js';
import { TestPresenceRecords } from '../../apps/gateway/src/testing/test-presence-records.js';
import { RedisPorts } from '../../libs/infra/src/redis/index.js';
import { startEngines, type EngineNode, type StartedEngines } from '../../scripts/engines/index.mjs';

const OFFLINE_AFTER_MS = 1_500;
/** From the loss of Redis until everybody is shown offline, and from its return until everybody is right. */
const OUTAGE_SHOWN_MS_MAX = 20_000;
const RIGHT_AGAIN_MS_MAX = 20_000;

let engines: StartedEngines;
let redis: EngineNode;
let ports: RedisPorts[];
let east: TestGateway;
let west: TestGateway;
const prefix = `t-${randomUUID()}:`;
const records = new TestPresenceRecords();
const inEast = clientsOf(() => east);
const inWest = clientsOf(() => west);

beforeAll(async () => {
  engines = await startEngines(['redis']);
  redis = engines.nodes[0]!;
  const options = { url: redis.address, prefix, onTrouble: () => {} };
  ports = await Promise.all([RedisPorts.open(options), RedisPorts.open(options)]);
  const environment = { RATE_LIMITS: 'off', PRESENCE_OFFLINE_AFTER_MS: String(OFFLINE_AFTER_MS) };
  [east, west] = (await Promise.all(
    ports.map(({ broadcast, sessions }) => startTestGateway(environment, broadcast, { sessions, records })),
  )) as [TestGateway, TestGateway];
});
afterAll(async () => {
  await Promise.all([east.stop(), west.stop()]);
  await Promise.all(ports.map((each) => each.close()));
  await engines.stop();
});

let ids = 0;
let ada: Client;
beforeEach(async () => {
  ada = await inWest();
});

async function subscribe(viewer: Client, ...userIds: string[]): Promise<string[]> {
  const { presences } = await viewer.emit(++ids, 'presence_subscribe', { userIds });
  return (presences as Presence[]).map(({ status }) => status);
}
/** Subscribes the viewer to users who are connected, once that is known. */
async function watch(viewer: Client, ...users: Client[]): Promise<void> {
  const userIds = users.map(({ userId }) => userId);
  const known = async (): Promise<number> => (await ports[0]!.sessions.ofUsers(userIds))?.size ?? 0;
  await expect.poll(known, { timeout: 10_000 }).toBe(users.length);
  expect(await subscribe(viewer, ...userIds)).toEqual(users.map(() => 'online'));
}
const statusesOf = (viewer: Client, userId: string): string[] =>
  (viewer.heard('presence_update') as Presence[]).filter((one) => one.userId === userId).map(({ status }) => status);
async function expectSeen(viewer: Client, userId: string, statuses: string[], timeout = 10_000): Promise<void> {
  await expect.poll(() => statusesOf(viewer, userId), { timeout }).toEqual(statuses);
}
const channels = async (userId: string): Promise<unknown[]> =>
  (await ports[0]!.broadcast['line'].command([
    'PUBSUB',
    'SHARDCHANNELS',
    `${prefix}live#/#${presenceRoom(userId)}#`,
  ])) as unknown[];

describe('presence over two gateways and Redis', () => {
  it('shows who comes and goes at one gateway to subscribers at the other', async () => {
    const ben = randomUUID();
    expect(await subscribe(ada, ben)).toEqual(['offline']);
    const { socket } = await inEast(ben);
    await expectSeen(ada, ben, ['online'], 2_000);
    expect(await subscribe(await inEast(), ben)).toEqual(['online']);
    socket.destroy();
    await expectSeen(ada, ben, ['online', 'offline']);
  });

  it('shows nothing of a device that moves from one to the other', async () => {
    const [ben, gone] = [await inEast(), await inEast()];
    await watch(ada, ben, gone);
    ben.socket.destroy();
    gone.socket.destroy();
    await inWest(ben.userId);
    await expectSeen(ada, gone.userId, ['offline']);
    expect(statusesOf(ada, ben.userId)).toEqual([]);
  });

  it('hides at both gateways at once who hides, and who is blocked', async () => {
    const [ben, cyd] = [await inEast(), await inEast()];
    await watch(ada, ben, cyd);
    await watch(ben, ada);
    records.hidden.add(ben.userId);
    await ports[0]!.broadcast.publish([{ type: 'presence-hidden', userId: ben.userId, hidden: true }]);
    await expectSeen(ada, ben.userId, ['offline']);
    await expectSeen(ben, ada.userId, ['offline']);
    records.blocks.add(`${cyd.userId}/${ada.userId}`);
    await ports[0]!.broadcast.publish([{ type: 'blocks-changed', blockerId: cyd.userId, blockedId: ada.userId }]);
    await expectSeen(ada, cyd.userId, ['offline']);
  });

  it('follows in Redis those who are watched, and nobody else', async () => {
    const ben = randomUUID();
    await subscribe(ada, ben);
    await subscribe(await inEast(), ben);
    expect(await channels(ben)).toHaveLength(1);
    const { socket } = await inWest();
    socket.destroy();
    await ada.emit(++ids, 'presence_unsubscribe', { userIds: [ben] });
    expect(await channels(ben)).toHaveLength(1);
    const other = randomUUID();
    await subscribe(ada, other);
    ada.socket.destroy();
    await expect.poll(() => channels(other)).toEqual([]);
  });

  it('is offline for everybody while Redis is away, and right again when it is back, without any reconnection', async () => {
    const ben = await inEast();
    await watch(ada, ben);
    const cyd = randomUUID();
    await subscribe(ada, cyd);
    await redis.kill();
    await expectSeen(ada, ben.userId, ['offline'], OUTAGE_SHOWN_MS_MAX);
    // Somebody comes while nobody can know it.
    await inEast(cyd);
    expect(await subscribe(ada, cyd)).toEqual(['offline']);
    await redis.start();
    await expectSeen(ada, ben.userId, ['offline', 'online'], RIGHT_AGAIN_MS_MAX);
    await expectSeen(ada, cyd, ['online'], RIGHT_AGAIN_MS_MAX);
  });

  it('shows nothing of a Redis that was restarted and forgot everything', async () => {
    const [ben, gone] = [await inEast(), await inEast()];
    await watch(ada, ben, gone);
    await redis.kill();
    await redis.start();
    await ada.hears('resync');
    gone.socket.destroy();
    await expectSeen(ada, gone.userId, ['offline'], RIGHT_AGAIN_MS_MAX);
    expect(statusesOf(ada, ben.userId)).toEqual([]);
  });
});
