import { randomUUID } from 'node:crypto';
import { type Closing, ConnectAnswerSchema, DELIVERY_RECEIPT_MEMBERS_MAX, MemberListSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type ParleyClient, signUp } from '../../packages/sdk/src/index.js';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import { freshName, PASSWORD, TestUser } from '../clients/test-user.js';
import { figuresAt } from '../clients/served-app.js';
import { TestSocket } from '../clients/test-socket.js';

const PEOPLE = 12;
const EXIT_MS_MAX = 35_000;
const SOON = { timeout: 20_000, interval: 50 };
const IN_FLIGHT = 100;
/** Between two messages of one person. */
const PAUSE_MS = 250;

let cluster: TrialCluster;
let people: ParleyClient[] = [];

/** Gateways that know of each other, which the api knows by what they say. */
beforeAll(async () => {
  // Marks that wait to be written must not be written by themselves while a gateway ends slowly.
  cluster = await TrialCluster.start([], { workers: 1, apis: 1, gateways: 2 }, { RECEIPT_WINDOW_MS: '5000' });
}, 120_000);
afterAll(async () => {
  await Promise.all(people.map((person) => person.close()));
  await cluster?.stop();
}, 60_000);

async function socketsAt({ url }: RoleProcess): Promise<number> {
  return Number(/^websocket_connections (\d+)$/m.exec(await figuresAt(url))?.[1]);
}

async function gatewayFor(user: TestUser): Promise<string[]> {
  const { url, fallbackUrls } = await user.rest.want(200, ConnectAnswerSchema, 'GET', '/v1/connect');
  return [url, ...fallbackUrls];
}

const connectAt = (url: string, user: TestUser): Promise<TestSocket> =>
  TestSocket.connect(url, { token: user.rest.token, deviceId: randomUUID() });

/** Too large for anybody to be told of who received what: then marks are gathered for longest. */
async function largeGroup(owner: TestUser, member: TestUser): Promise<string> {
  const others = await Promise.all(
    Array.from({ length: DELIVERY_RECEIPT_MEMBERS_MAX - 1 }, () => TestUser.signUp(cluster.url)),
  );
  return (await owner.group([member, ...others])).conversationId;
}

async function deliveredTo(member: TestUser, conversationId: string): Promise<string | null | undefined> {
  const path = `/v1/conversations/${conversationId}/members?limit=100`;
  const { items } = await member.rest.want(200, MemberListSchema, 'GET', path);
  return items.find(({ userId }) => userId === member.userId)?.lastDeliveredMessageId;
}

describe('a gateway that is told to end', () => {
  it('sends its clients to the other one, answers what is under way, and loses and doubles nothing', async () => {
    const [leaving, staying] = cluster.of('gateway') as [RoleProcess, RoleProcess];
    const watcher = await TestUser.signUp(cluster.url);
    await expect.poll(() => gatewayFor(watcher), SOON).toHaveLength(2);

    people = await Promise.all(
      Array.from({ length: PEOPLE }, () =>
        signUp({ url: cluster.url, username: freshName(), password: PASSWORD, displayName: 'Person' }),
      ),
    );
    const [owner, ...others] = people as [ParleyClient, ...ParleyClient[]];
    const room = await owner.createGroup('room', [watcher.userId, ...others.map((other) => other.userId)]);
    const rooms = await Promise.all(people.map((person) => person.conversation(room.id)));
    const shown = rooms.map((each) => {
      const contents: string[] = [];
      each.subscribe((items) => contents.splice(0, contents.length, ...items.map(({ content }) => content)));
      return contents;
    });
    await expect.poll(() => people.map((person) => person.connectionState.status), SOON).not.toContain('connecting');
    expect(await socketsAt(leaving)).toBeGreaterThan(0);
    const watching = await Promise.all(Array.from({ length: 10 }, () => connectAt(leaving.url, watcher)));

    // Everybody goes on sending while the gateway ends.
    const sent: string[] = [];
    let isOver = false;
    onTestFinished(() => void (isOver = true));
    const sending = rooms.map(async (each, i) => {
      for (let n = 0; !isOver; n++) {
        sent.push(`${i}-${n}`);
        await each.send(`${i}-${n}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    });
    await expect.poll(() => sent.length, SOON).toBeGreaterThan(PEOPLE * 3);
    const [sender] = watching as [TestSocket];
    const inFlight = Array.from({ length: IN_FLIGHT }, (_, i) =>
      sender.raw('send_message', { conversationId: room.id, content: `w-${i}`, clientMsgId: randomUUID() }),
    );
    const began = performance.now();
    leaving.signal('SIGTERM');

    expect(await leaving.end(EXIT_MS_MAX)).toMatchObject({ code: 0 });
    expect(performance.now() - began).toBeLessThan(EXIT_MS_MAX);
    for (const answer of await Promise.all(inFlight)) expect(answer).toMatchObject({ ok: true });
    const closings = watching.map((socket) => socket.seen('closing')[0] as Closing);
    for (const closing of closings) {
      expect(closing).toMatchObject({ code: 'draining', reconnect: 'now', url: staying.url });
    }
    expect(new Set(closings.map(({ afterMs }) => afterMs)).size).toBe(closings.length);
    expect(await gatewayFor(watcher)).toEqual([staying.url]);

    await expect.poll(() => socketsAt(staying), SOON).toBe(PEOPLE);
    isOver = true;
    await Promise.all(sending);
    const expected = [...sent, ...inFlight.map((_, i) => `w-${i}`)].toSorted();
    // Who was away for long shows the end first.
    for (const each of rooms) while (await each.loadOlder());
    for (const contents of shown) await expect.poll(() => contents.toSorted(), SOON).toEqual(expected);
    expect(new Set(shown.map((contents) => contents.join())).size).toBe(1);
    expect([leaving.lastWords, staying.lastWords].join()).not.toMatch(/unhandled|uncaught/i);
  }, 120_000);

  it('is chosen again when it is back, and the other one ends without losing a client or what was just read', async () => {
    const [back, leaving] = cluster.of('gateway') as [RoleProcess, RoleProcess];
    await cluster.group.startOne(back);
    const watcher = await TestUser.signUp(cluster.url);
    await expect
      .poll(async () => (await gatewayFor(watcher)).toSorted(), SOON)
      .toEqual([back.url, leaving.url].toSorted());
    const reader = await TestUser.signUp(cluster.url);
    const { conversationId } = await watcher.direct(reader);
    const { messageId, seq } = await watcher.send(conversationId, 'read me');
    const reading = await connectAt(leaving.url, reader);
    const crowd = await largeGroup(watcher, reader);
    const received = await watcher.sendMany(crowd, 2);
    await reading.ask('read_receipt', { conversationId, lastReadMessageId: messageId });
    // The first mark goes at once. The second would be gathered for seconds, and nobody waits for it.
    for (const message of received) await reading.ask('ack', { conversationId: crowd, messageId: message.messageId });
    expect(await leaving.stop()).toMatchObject({ code: 0 });
    expect((await reader.conversation(conversationId)).lastReadSeq).toBe(seq);
    await expect.poll(() => deliveredTo(reader, crowd), SOON).toBe(received[1]?.messageId);
    await expect.poll(() => socketsAt(back), SOON).toBe(PEOPLE);
  }, 90_000);
});

describe('a gateway that is killed', () => {
  it('is no longer named when its time is over', async () => {
    const [killed, other] = cluster.of('gateway') as [RoleProcess, RoleProcess];
    await cluster.group.startOne(other);
    const watcher = await TestUser.signUp(cluster.url);
    await expect
      .poll(async () => (await gatewayFor(watcher)).toSorted(), SOON)
      .toEqual([killed.url, other.url].toSorted());
    await killed.destroy();
    await expect.poll(() => gatewayFor(watcher), SOON).toEqual([other.url]);
  }, 60_000);
});
