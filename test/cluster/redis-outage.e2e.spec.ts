import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ParleyClient, signUp } from '../../packages/sdk/src/index.js';
import type { EngineNode } from '../../scripts/engines/index.mjs';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { TestSocket } from '../clients/test-socket.js';
import { freshName, PASSWORD, TestUser } from '../clients/test-user.js';

const PEOPLE = 6;
const AWAY_MS = 20_000;
/** Between two messages of one person. */
const PAUSE_MS = 500;
/** What is promised of the time after an outage. */
const COMPLETE_MS_MAX = 30_000;
const ANSWER_MS_MAX = 6_000;
/** As it is unless somebody sets it; the rest is what a busy machine may add. */
const SEND_WAIT_MS = 2_500;
const SEND_ANSWER_MS_MAX = SEND_WAIT_MS + 2_000;
const SOON = { timeout: 20_000, interval: 50 };

let cluster: TrialCluster;
let redis: EngineNode;
const people: ParleyClient[] = [];

/** A Redis of its own, which goes away here; the rest is in Postgres. */
beforeAll(async () => {
  cluster = await TrialCluster.start(['redis'], { workers: 1, apis: 1, gateways: 2 });
  redis = cluster.engine;
}, 120_000);
afterEach(async () => {
  await Promise.all(people.splice(0).map((person) => person.close()));
});
afterAll(async () => {
  await cluster?.stop();
}, 60_000);

interface Room {
  conversationId: string;
  owner: TestUser;
  ownerSocket: TestSocket;
  /** A member with a socket at each gateway, who is removed in the middle of the outage. */
  leaver: TestUser;
  leaverSockets: TestSocket[];
  /** What each person's timeline shows. */
  shown: string[][];
  /** Each change of anybody's connection since the beginning. */
  interruptions: string[];
  loadAll: () => Promise<void>;
  /** Everybody sends now and then until it is stopped. */
  sendUntil: (isOver: () => boolean) => { sent: string[]; ended: Promise<unknown> };
}

async function openRoom(): Promise<Room> {
  const [owner, leaver] = [await TestUser.signUp(cluster.url), await TestUser.signUp(cluster.url)];
  for (let i = 0; i < PEOPLE; i++) {
    people.push(await signUp({ url: cluster.url, username: freshName(), password: PASSWORD, displayName: 'Person' }));
  }
  const userIds = await Promise.all(people.map(async (person) => (await person.me()).userId));
  const body = { type: 'group', memberIds: [leaver.userId, ...userIds], name: 'room' };
  const { conversationId } = (await owner.rest.call('POST', '/v1/conversations', { body })).json as {
    conversationId: string;
  };
  const rooms = await Promise.all(people.map((person) => person.conversation(conversationId)));
  const shown = rooms.map((room) => {
    const contents: string[] = [];
    room.subscribe((items) => contents.splice(0, contents.length, ...items.map(({ content }) => content)));
    return contents;
  });
  await expect
    .poll(() => people.every(({ connectionState }) => connectionState.status === 'connected'), SOON)
    .toBe(true);
  const interruptions: string[] = [];
  for (const person of people) person.on('connection', ({ status }) => interruptions.push(status));
  const leaverSockets = await Promise.all(
    cluster.group.gatewayUrls.map((url) =>
      TestSocket.connect(url, { token: leaver.rest.token, deviceId: randomUUID() }),
    ),
  );
  const ownerSocket = await TestSocket.connect(cluster.url, { token: owner.rest.token, deviceId: randomUUID() });
  onTestFinished(() => [...leaverSockets, ownerSocket].forEach((socket) => socket.close()));
  const sendUntil: Room['sendUntil'] = (isOver) => {
    const sent: string[] = [];
    const senders = rooms.map(async (room, i) => {
      for (let n = 0; !isOver(); n++) {
        const content = `${i}-${n}-${randomUUID().slice(0, 8)}`;
        sent.push(content);
        await room.send(content);
        await pause(PAUSE_MS);
      }
    });
    return { sent, ended: Promise.all(senders) };
  };
  const loadAll = async (): Promise<void> => {
    for (const room of rooms) while (await room.loadOlder());
  };
  return { conversationId, owner, ownerSocket, leaver, leaverSockets, shown, interruptions, loadAll, sendUntil };
}

/** How long the call took, and what came of it. Nothing may wait for an engine that is away. */
async function timed<T>(call: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const answer = await call();
  expect(performance.now() - began).toBeLessThan(ANSWER_MS_MAX);
  return answer;
}

/** Answered when the wait for the outcome is over: not before, and not when the outage is. */
async function afterSendWait<T>(send: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const answer = await send();
  const waitedMs = performance.now() - began;
  expect(waitedMs).toBeGreaterThan(SEND_WAIT_MS - 100);
  expect(waitedMs).toBeLessThan(SEND_ANSWER_MS_MAX);
  return answer;
}

describe.each([
  ['killed', () => redis.kill(), () => redis.start()],
  ['standing still', async () => redis.pause(), async () => redis.resume()],
] as const)('a Redis that is %s for 20 s', (_what, goAway, comeBack) => {
  it('ends no process and no connection; everybody is complete soon after, and who was removed hears nothing', async () => {
    const room = await openRoom();
    const pids = cluster.group.processes.map(({ pid }) => pid);
    let isOver = false;
    onTestFinished(() => void (isOver = true));
    const { sent, ended } = room.sendUntil(() => isOver);
    await expect.poll(() => sent.length, SOON).toBeGreaterThan(2 * PEOPLE);

    await goAway();
    const wentAt = performance.now();
    const path = `/v1/conversations/${room.conversationId}`;
    await pause(AWAY_MS / 4);
    for (const { url } of cluster.group.processes) {
      const health = await timed(() => fetch(`${url}/health/ready`));
      expect([health.status, await health.json()]).toMatchObject([200, { missing: ['redis'] }]);
    }
    // In the log, and decided; who decided it cannot tell the one who waits, whichever door it came through.
    const clientMsgId = randomUUID();
    const bySocket = { conversationId: room.conversationId, content: 'away 0', clientMsgId };
    expect(await afterSendWait(() => room.ownerSocket.raw('send_message', bySocket))).toEqual({
      ok: true,
      status: 'accepted',
      clientMsgId,
    });
    for (const content of ['away 1', 'away 2']) {
      const send = { body: { content, clientMsgId: randomUUID() } };
      const answer = await afterSendWait(() => room.owner.rest.call('POST', `${path}/messages`, send));
      expect([answer.status, answer.json]).toMatchObject([202, { status: 'accepted' }]);
    }
    expect((await timed(() => room.owner.rest.call('GET', `${path}/messages`))).status).toBe(200);
    // At the last moment, so that no gateway finds it in the database before it delivers again: the broadcast is lost.
    await pause(Math.max(0, wentAt + AWAY_MS - performance.now()));
    const removal = { body: { remove: [room.leaver.userId] } };
    const removing = timed(() => room.owner.rest.call('PUT', `${path}/members`, removal));
    await expect.poll(async () => (await room.leaver.rest.call('GET', path)).status, SOON).toBe(404);
    const sentBefore = sent.length;
    await comeBack();
    const backAt = performance.now();
    await pause(2_000);
    isOver = true;
    await ended;
    expect([200, 503]).toContain((await removing).status);

    const expected = [...sent, 'away 0', 'away 1', 'away 2'].toSorted();
    const left = (): number => Math.max(1, backAt + COMPLETE_MS_MAX - performance.now());
    await expect
      .poll(
        async () => {
          await room.loadAll();
          return room.shown.filter((contents) => contents.toSorted().join() !== expected.join()).length;
        },
        { timeout: left(), interval: 250 },
      )
      .toBe(0);
    expect(new Set(room.shown.map((contents) => contents.join())).size).toBe(1);
    expect(room.interruptions).toEqual([]);
    // Its sender has not repeated it.
    const end = await room.ownerSocket.waitFor('ack', (ack) => ack.clientMsgId === clientMsgId, SOON.timeout);
    expect(end.status).toBe('stored');
    expect(cluster.group.processes.map(({ pid }) => pid)).toEqual(pids);
    // Live again, not only by catching up; and not to the one who had to leave while nobody could say so.
    const { content } = await room.owner.send(room.conversationId, `after ${randomUUID()}`);
    for (const contents of room.shown) await expect.poll(() => contents.at(-1), SOON).toBe(content);
    const secret = new Set([...sent.slice(sentBefore), content]);
    for (const socket of room.leaverSockets) {
      const heard = socket.seen('new_message').map((message) => message.content ?? '');
      expect(heard.length).toBeGreaterThan(0);
      expect(heard.filter((text) => secret.has(text))).toEqual([]);
    }
  }, 150_000);
});
