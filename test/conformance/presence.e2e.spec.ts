import { randomUUID } from 'node:crypto';
import { type Presence, PresenceListSchema, PRESENCE_USERS_MAX } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

const IDLE_AFTER_MS = 3_000;
/** The contract's 2 s and 5 s, and what a busy machine may add. */
const SEEN_ONLINE_MS_MAX = 2_000;
const SEEN_OFFLINE_MS = { least: 4_500, most: 9_000 };

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ PRESENCE_IDLE_AFTER_MS: String(IDLE_AFTER_MS) });
});
afterAll(() => app.stop());

const query = async (viewer: TestUser, ...userIds: string[]): Promise<Presence[]> => {
  const page = await viewer.rest.want(200, PresenceListSchema, 'POST', '/v1/presence/query', { userIds });
  expect(page.nextCursor).toBeNull();
  return page.items;
};
const subscribe = async (socket: TestSocket, ...users: TestUser[]): Promise<Presence[]> =>
  (await socket.ask('presence_subscribe', { userIds: users.map(({ userId }) => userId) })).presences;
const sees = (socket: TestSocket, { userId }: TestUser, status: string, withinMs?: number): Promise<Presence> =>
  socket.waitFor('presence_update', (one) => one.userId === userId && one.status === status, withinMs);
const statusesOf = (socket: TestSocket, { userId }: TestUser): string[] =>
  socket
    .seen('presence_update')
    .filter((presence) => presence.userId === userId)
    .map(({ status }) => status);
const offline = ({ userId }: TestUser): Presence => ({ userId, status: 'offline', lastSeen: null });
const online = ({ userId }: TestUser): Presence => ({ userId, status: 'online', lastSeen: null });

describe('a user', () => {
  it('is online for its subscribers 2 s after connecting, and offline 5 s after it went, with the time', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const watching = await ada.connect();
    expect(await subscribe(watching, bob)).toEqual([offline(bob)]);
    const socket = await bob.connect();
    await sees(watching, bob, 'online', SEEN_ONLINE_MS_MAX);
    expect(await query(ada, bob.userId)).toEqual([online(bob)]);
    const wentAt = Date.now();
    socket.close();
    const { lastSeen } = await sees(watching, bob, 'offline', SEEN_OFFLINE_MS.most);
    expect(Date.now() - wentAt).toBeGreaterThanOrEqual(SEEN_OFFLINE_MS.least);
    expect(Math.abs(Date.parse(lastSeen!) - wentAt)).toBeLessThan(2_000);
    expect(await query(ada, bob.userId)).toEqual([{ ...offline(bob), lastSeen }]);
    expect(statusesOf(watching, bob)).toEqual(['online', 'offline']);
  });

  it('that is back at once was never away', async () => {
    const [ada, bob, gone] = (await app.someUsers('Ada', 'Bob', 'Gone')) as [TestUser, TestUser, TestUser];
    const watching = await ada.connect();
    await subscribe(watching, bob, gone);
    const deviceId = randomUUID();
    const sockets = [await bob.connect(deviceId), await gone.connect()];
    for (const user of [bob, gone]) await sees(watching, user, 'online');
    for (const socket of sockets) socket.close();
    await bob.connect(deviceId);
    // By then everybody who went is known to have gone.
    await sees(watching, gone, 'offline', SEEN_OFFLINE_MS.most);
    expect(statusesOf(watching, bob).filter((status) => status === 'offline')).toEqual([]);
  });

  it('is idle when nobody is active at any of its devices, and online again with the next activity', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const { conversationId } = await bob.group([ada]);
    const watching = await ada.connect();
    await subscribe(watching, bob);
    const [phone, laptop] = [await bob.connect(), await bob.connect()];
    await sees(watching, bob, 'online');
    const until = Date.now() + 1.5 * IDLE_AFTER_MS;
    const isOver = async (): Promise<boolean> => {
      await phone.ask('heartbeat', { active: false });
      await laptop.ask('heartbeat', { active: true });
      return Date.now() > until;
    };
    await expect.poll(isOver, { interval: IDLE_AFTER_MS / 6, timeout: 3 * IDLE_AFTER_MS }).toBe(true);
    expect(statusesOf(watching, bob)).toEqual(['online']);
    await sees(watching, bob, 'idle', IDLE_AFTER_MS + 5_000);
    expect(await query(ada, bob.userId)).toEqual([{ ...online(bob), status: 'idle' }]);
    await phone.ask('heartbeat', { active: false });
    expect((await query(ada, bob.userId))[0]?.status).toBe('idle');
    await phone.send({ conversationId, content: 'Back', clientMsgId: randomUUID() });
    await watching.waitFor('new_message');
    await expect.poll(() => statusesOf(watching, bob), { timeout: 5_000 }).toEqual(['online', 'idle', 'online']);
  });

  it('whose session ended is offline like any other', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const watching = await ada.connect();
    await bob.connect();
    await expect.poll(async () => (await query(ada, bob.userId))[0]?.status, { timeout: 5_000 }).toBe('online');
    await subscribe(watching, bob);
    await bob.rest.wantEmpty(204, 'POST', '/v1/auth/logout', { refreshToken: bob.session.refreshToken });
    expect((await sees(watching, bob, 'offline', 15_000)).lastSeen).not.toBeNull();
  });
});

describe('presences are hidden', () => {
  it('of and from a user who hides, at once, and shown again when it does not', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const [adas, bobs] = [await ada.connect(), await bob.connect()];
    const bothOnline = async () => (await query(ada, ada.userId, bob.userId)).map(({ status }) => status);
    await expect.poll(bothOnline, { timeout: 5_000 }).toEqual(['online', 'online']);
    expect(await subscribe(adas, bob)).toEqual([online(bob)]);
    expect(await subscribe(bobs, ada)).toEqual([online(ada)]);
    await bob.rest.call('PATCH', '/v1/users/me', { body: { presenceHidden: true } });
    expect(await query(ada, bob.userId)).toEqual([offline(bob)]);
    expect(await query(bob, ada.userId)).toEqual([offline(ada)]);
    expect((await sees(adas, bob, 'offline')).lastSeen).toBeNull();
    await sees(bobs, ada, 'offline');
    expect(await subscribe(adas, bob)).toEqual([offline(bob)]);
    await bob.rest.call('PATCH', '/v1/users/me', { body: { presenceHidden: false } });
    await expect.poll(() => statusesOf(adas, bob).at(-1), { timeout: 5_000 }).toBe('online');
    await expect.poll(() => statusesOf(bobs, ada).at(-1), { timeout: 5_000 }).toBe('online');
  });

  it('between two of whom one has blocked the other, and from nobody else', async () => {
    const [ada, bob, cyd] = (await app.someUsers('Ada', 'Bob', 'Cyd')) as [TestUser, TestUser, TestUser];
    const sockets = await Promise.all([ada.connect(), bob.connect(), cyd.connect()]);
    const [adas, bobs, cyds] = sockets as [TestSocket, TestSocket, TestSocket];
    const allOnline = async () => (await query(cyd, ada.userId, bob.userId)).map(({ status }) => status);
    await expect.poll(allOnline, { timeout: 5_000 }).toEqual(['online', 'online']);
    expect(await subscribe(adas, bob)).toEqual([online(bob)]);
    expect(await subscribe(bobs, ada)).toEqual([online(ada)]);
    await subscribe(cyds, ada, bob);
    await ada.rest.wantEmpty(204, 'PUT', `/v1/users/me/blocks/${bob.userId}`);
    expect(await query(ada, bob.userId)).toEqual([offline(bob)]);
    expect(await query(bob, ada.userId)).toEqual([offline(ada)]);
    await sees(adas, bob, 'offline');
    await sees(bobs, ada, 'offline');
    expect(await allOnline()).toEqual(['online', 'online']);
    await ada.rest.wantEmpty(204, 'DELETE', `/v1/users/me/blocks/${bob.userId}`);
    await sees(adas, bob, 'online');
    await sees(bobs, ada, 'online');
    expect(cyds.seen('presence_update')).toEqual([]);
  });
});

describe('what is asked for', () => {
  it('is answered in its order, each user once; who does not exist is offline', async () => {
    const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    const nobody = randomUUID();
    const socket = await ada.connect();
    const expected = [nobody, bob.userId];
    const userIds = [nobody, bob.userId.toUpperCase(), nobody];
    expect((await query(ada, ...userIds)).map(({ userId }) => userId)).toEqual(expected);
    const { presences } = await socket.ask('presence_subscribe', { userIds });
    expect(presences.map(({ userId }) => userId)).toEqual(expected);
    expect(presences[0]).toEqual({ userId: nobody, status: 'offline', lastSeen: null });
    expect(await query(ada)).toEqual([]);
    await socket.ask('presence_unsubscribe', { userIds });
    await socket.ask('presence_unsubscribe', { userIds: [] });
    const other = await app.user('Other');
    await subscribe(socket, other);
    await bob.connect();
    await other.connect();
    await sees(socket, other, 'online');
    expect(statusesOf(socket, bob)).toEqual([]);
  });

  it(`is at most ${PRESENCE_USERS_MAX} users, at a time and for a socket`, async () => {
    const ada = await app.user();
    const socket = await ada.connect();
    const many = Array.from({ length: PRESENCE_USERS_MAX + 1 }, () => randomUUID());
    const tooMany = '400 validation_failed userIds:too_many';
    expect(await ada.rest.refusal('POST', '/v1/presence/query', { userIds: many })).toBe(tooMany);
    expect(await socket.refusal('presence_subscribe', { userIds: many })).toBe(tooMany);
    expect(await query(ada, ...many.slice(1))).toHaveLength(PRESENCE_USERS_MAX);
    const { presences } = await socket.ask('presence_subscribe', { userIds: many.slice(1) });
    expect(presences).toHaveLength(PRESENCE_USERS_MAX);
    expect(await socket.refusal('presence_subscribe', { userIds: [many[0]] })).toBe(tooMany);
    await socket.ask('presence_unsubscribe', { userIds: [many[1]!] });
    await socket.ask('presence_subscribe', { userIds: [many[0]!] });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty object', {}],
    ['a text', { userIds: 'all' }],
    ['no UUID', { userIds: ['me'] }],
    ['a number', { userIds: [1] }],
    ['a field too many', { userIds: [], all: true }],
  ])('as %s is refused by both doors', async (_, payload) => {
    const ada = await app.user();
    const socket = await ada.connect();
    for (const event of ['presence_subscribe', 'presence_unsubscribe']) {
      expect(await socket.refusal(event, payload)).toMatch(/^400 validation_failed/);
    }
    expect(await ada.rest.refusal('POST', '/v1/presence/query', payload ?? null)).toMatch(/^400 validation_failed/);
  });
});

it('the time at which somebody was last there is kept over a restart', async () => {
  const [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  await bob.connect();
  await expect.poll(async () => (await query(ada, bob.userId))[0]?.status, { timeout: 5_000 }).toBe('online');
  const restartedAt = Date.now();
  const url = await app.restart();
  const asked = async (): Promise<Presence | undefined> => {
    const answer = await fetch(`${url}/v1/presence/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ada.rest.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ userIds: [bob.userId] }),
    });
    expect(answer.status).toBe(200);
    return PresenceListSchema.parse(await answer.json()).items[0];
  };
  // A server that is back within the time in which somebody may reconnect unseen shows nothing before its end.
  await expect.poll(async () => (await asked())?.status, { timeout: SEEN_OFFLINE_MS.most }).toBe('offline');
  const lastSeen = (await asked())?.lastSeen;
  expect(Math.abs(Date.parse(lastSeen!) - restartedAt)).toBeLessThan(5_000);
});
