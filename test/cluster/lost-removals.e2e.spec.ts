import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { TestSocket } from '../clients/test-socket.js';
import { TestUser } from '../clients/test-user.js';
import { LossyRedis } from '../faults/lossy-redis.js';

const ROOMS = 20;
const LEAVERS = 25;
/** Rooms that are emptied side by side. */
const ROOMS_AT_ONCE = 4;
const SOON = { timeout: 20_000, interval: 50 };

let redis: LossyRedis;
let cluster: TrialCluster;
const sockets: TestSocket[] = [];

/** No process ever hears that members changed: it is left out of what Redis tells its subscribers. */
beforeAll(async () => {
  redis = await LossyRedis.start(process.env['REDIS_URL']!, (message) => message.includes('members-changed'));
  cluster = await TrialCluster.start([], { workers: 1, apis: 1, gateways: 2 }, { REDIS_URL: redis.url });
}, 180_000);
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await cluster?.stop();
  await redis?.close();
}, 60_000);

async function connect(user: TestUser, url: string): Promise<TestSocket> {
  const socket = await TestSocket.connect(url, { token: user.rest.token, deviceId: randomUUID() });
  sockets.push(socket);
  return socket;
}

const heard = (socket: TestSocket, conversationId: string): string[] =>
  socket
    .seen('new_message')
    .filter((message) => message.conversationId === conversationId)
    .map(({ content }) => content ?? '');

/** Whether this was said when the member of this number was gone. */
const isSince = (text: string, leaver: number): boolean => Number(/^without (\d+)$/.exec(text)?.[1]) >= leaver;

it(`shows nothing to any of ${ROOMS * LEAVERS} removed members of what came after, though their removal was lost`, async () => {
  const [owner, staying, ...leavers] = (await Promise.all(
    Array.from({ length: 2 + LEAVERS }, () => TestUser.signUp(cluster.url)),
  )) as [TestUser, TestUser, ...TestUser[]];
  const urls = cluster.group.gatewayUrls;
  const stays = await Promise.all(urls.map((url) => connect(staying, url)));
  const leaves = await Promise.all(leavers.map((user, i) => connect(user, urls[i % urls.length]!)));
  const rooms = await Promise.all(
    Array.from({ length: ROOMS }, async () => (await owner.group([staying, ...leavers])).conversationId),
  );
  for (const room of rooms) await owner.send(room, 'welcome');
  const all = [...stays, ...leaves];
  await expect
    .poll(() => all.every((socket) => rooms.every((room) => heard(socket, room).length === 1)), SOON)
    .toBe(true);

  const empty = async (room: string): Promise<void> => {
    for (const [i, user] of leavers.entries()) {
      await owner.members(room, { remove: [user.userId] });
      await owner.send(room, `without ${i}`);
    }
  };
  for (let from = 0; from < ROOMS; from += ROOMS_AT_ONCE) {
    await Promise.all(rooms.slice(from, from + ROOMS_AT_ONCE).map(empty));
  }

  const told = ['welcome', ...leavers.map((_, i) => `without ${i}`)];
  for (const socket of stays) {
    for (const room of rooms) await expect.poll(() => heard(socket, room), SOON).toEqual(told);
  }
  // It was really lost, for each gateway, and whoever heard of a removal heard of it by the first message after it.
  expect(redis.lost).toBeGreaterThanOrEqual(ROOMS * LEAVERS * urls.length);
  const leaks = leaves.flatMap((socket, i) =>
    rooms.flatMap((room) => heard(socket, room).filter((text) => isSince(text, i))),
  );
  expect(leaks).toEqual([]);
  // The last one was there nearly to the end, and was shown what came until then.
  for (const room of rooms) expect(heard(leaves.at(-1)!, room).length).toBeGreaterThan(LEAVERS / 2);
}, 120_000);
