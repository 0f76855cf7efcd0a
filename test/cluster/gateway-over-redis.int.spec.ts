import { randomUUID } from 'node:crypto';
import type { LiveEvent } from '@parley/domain';
import { RedisPorts } from '../../libs/infra/src/redis/index.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FollowedRooms, ROOMS_KEPT_MS } from '../../apps/gateway/src/live/followed-rooms.js';
import { HeadsPoll } from '../../apps/gateway/src/live/heads-poll.js';
import {
  CONVERSATION,
  messageOf,
  sent,
  startTestGateway,
  type TestGateway,
} from '../../apps/gateway/src/testing/gateway-testing.js';
import { clientsOf, seqsOf, settled } from '../../apps/gateway/src/testing/raw-clients.js';
import { startEngines, type EngineNode, type StartedEngines } from '../../scripts/engines/index.mjs';

const REMOVALS = 40;

let engines: StartedEngines;
let redis: EngineNode;
let worker: RedisPorts;
let behindGateway: RedisPorts;
let gateway: TestGateway;
const prefix = `t-${randomUUID()}:`;
const client = clientsOf(() => gateway);

beforeAll(async () => {
  engines = await startEngines(['redis']);
  redis = engines.nodes[0]!;
  const options = { url: redis.address, prefix, onTrouble: () => {} };
  [worker, behindGateway] = await Promise.all([RedisPorts.open(options), RedisPorts.open(options)]);
  gateway = await startTestGateway({ RATE_LIMITS: 'off' }, behindGateway.broadcast);
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([worker, behindGateway].map((ports) => ports.close()));
  await engines.stop();
});
afterEach(() => {
  gateway.reader.heads = [];
});

const publish = (...events: LiveEvent[]): Promise<void> => worker.broadcast.publish(events);
const publishSent = (seq: number, senderId = randomUUID()): Promise<void> =>
  publish(sent(messageOf(seq, senderId), gateway.reader.epoch));
const membersChanged = (added: string[], removed: string[]): LiveEvent => ({
  type: 'members-changed',
  conversationId: CONVERSATION,
  membershipEpoch: gateway.reader.epoch,
  rev: gateway.reader.epoch,
  added,
  removed,
  roles: {},
});
async function roomsInRedis(): Promise<string[]> {
  const channels = (await worker['line'].command(['PUBSUB', 'SHARDCHANNELS', `${prefix}live#/#?*`])) as string[];
  return channels.map((channel) => channel.split('#')[2]!).filter((room) => /^(user|conversation):/.test(room));
}

describe('a gateway over Redis', () => {
  it('follows its users and their conversations, and nothing else, until they have gone', async () => {
    const userId = randomUUID();
    gateway.reader.setMembers([userId]);
    const ada = await client(userId);
    const stranger = await client();
    await publishSent(1);
    await ada.hears('new_message');
    expect((await roomsInRedis()).toSorted()).toEqual(
      [`conversation:${CONVERSATION}`, `user:${userId}`, `user:${stranger.userId}`].toSorted(),
    );
    await settled(stranger);
    expect(stranger.heard('new_message')).toEqual([]);
    ada.socket.destroy();
    stranger.socket.destroy();
    const rooms = gateway.app.get(FollowedRooms, { strict: false });
    await expect
      .poll(async () => {
        gateway.advance(ROOMS_KEPT_MS);
        rooms.sweep();
        return roomsInRedis();
      })
      .toEqual([]);
    expect(rooms.size).toBe(0);
  });

  it('follows a conversation that a user is added to, before the user is told of it', async () => {
    gateway.reader.setMembers([]);
    const ben = await client();
    gateway.reader.setMembers([ben.userId]);
    await publish(membersChanged([ben.userId], []));
    await ben.hears('conversation_created');
    await publishSent(1);
    await ben.hears('new_message');
    expect(seqsOf(ben)).toEqual([1]);
  });

  it('refuses a socket whose conversations cannot be read, and takes it when they can', async () => {
    gateway.reader.failing = true;
    const refused = await client();
    gateway.reader.failing = false;
    expect(refused.socket.texts.at(-1)).toContain('"code":"store_unavailable"');
    const userId = randomUUID();
    gateway.reader.setMembers([userId]);
    const cyd = await client(userId);
    await publishSent(1);
    expect(await cyd.hears('new_message')).toHaveLength(1);
  });

  it(`shows nothing to ${REMOVALS} removed users when no gateway heard of their removal`, async () => {
    const staying = randomUUID();
    const leaving = Array.from({ length: REMOVALS }, () => randomUUID());
    gateway.reader.setMembers([staying, ...leaving]);
    const stays = await client(staying);
    const leave = await Promise.all(leaving.map((userId) => client(userId)));
    await publishSent(1);
    for (const each of [stays, ...leave]) await each.hears('new_message');
    for (let i = 0; i < REMOVALS; i++) {
      // Committed, and lost between the servers.
      gateway.reader.setMembers([staying, ...leaving.slice(i + 1)]);
      await publishSent(i + 2);
    }
    await stays.hears('new_message', REMOVALS + 1);
    await settled(...leave);
    // Those who were still members may have missed something: delivery goes by the members that are read, which are newer.
    leave.forEach((each, i) => {
      const seqs = seqsOf(each);
      expect(seqs[0]).toBe(1);
      expect(seqs.at(-1)).toBeLessThanOrEqual(i + 1);
    });
  });

  it('finds a last message and a joining that were lost, by the heads of the database', async () => {
    gateway.reader.setMembers([]);
    const dan = await client();
    const poll = gateway.app.get(HeadsPoll, { strict: false });
    // Added, and sent a message: nothing of it was heard here.
    gateway.reader.setMembers([dan.userId]);
    const head = { conversationId: CONVERSATION, lastSeq: 7, lastRev: 7 };
    gateway.reader.heads = [{ ...head, userId: dan.userId, removed: false }];
    await expect
      .poll(async () => {
        await poll.poll();
        return dan.heard('heads');
      })
      .toContainEqual({ heads: [head] });
    await publishSent(8);
    await dan.hears('new_message');
    expect(seqsOf(dan)).toEqual([8]);
  });

  it('reads the members of those conversations that moved which concern it, and of no other', async () => {
    const userId = randomUUID();
    gateway.reader.setMembers([userId]);
    const fay = await client(userId);
    const { membershipReads } = gateway.reader;
    const here = { conversationId: CONVERSATION, lastSeq: 3, lastRev: 4 };
    const elsewhere = Array.from({ length: 50 }, () => ({ ...here, conversationId: randomUUID() }));
    await publish({ type: 'conversations-moved', heads: [...elsewhere, here] });
    expect(await fay.hears('heads')).toEqual([{ heads: [here] }]);
    expect(gateway.reader.membershipReads).toBe(membershipReads + 1);
  });

  it('tells its sockets to resync when Redis is back, and none of them has to reconnect', async () => {
    const userIds = Array.from({ length: 20 }, () => randomUUID());
    gateway.reader.setMembers(userIds);
    const clients = await Promise.all(userIds.map((userId) => client(userId)));
    await redis.kill();
    await publishSent(1);
    await settled(...clients);
    await redis.start();
    for (const each of clients) await each.hears('resync');
    await expect.poll(() => worker.isUp, { timeout: 5_000 }).toBe(true);
    await publishSent(2);
    for (const each of clients) await each.hears('new_message');
    expect(clients.map(seqsOf)).toEqual(clients.map(() => [2]));
  });

  it('admits sockets while Redis is away, and has them resync when it is back', async () => {
    await redis.kill();
    const userId = randomUUID();
    gateway.reader.setMembers([userId]);
    const eve = await client(userId);
    await redis.start();
    await eve.hears('resync');
    await expect.poll(() => worker.isUp, { timeout: 5_000 }).toBe(true);
    await publishSent(1);
    await eve.hears('new_message');
  });
});
