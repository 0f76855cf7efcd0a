import { randomUUID } from 'node:crypto';
import { UserSchema, type Message } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { handshakeRefusal } from '../clients/test-socket.js';
import { freshName, PASSWORD, type TestUser } from '../clients/test-user.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({
    RATE_LIMITS: 'on',
    RATE_LIMIT_REST_PER_ADDRESS_MINUTE: '400',
    RATE_LIMIT_SOCKET_EVENTS_SECOND: '20',
    SOCKETS_PER_USER_MAX: '3',
  });
});
afterAll(() => app.stop());

const sendTo = (user: TestUser, conversationId: string, clientMsgId: string = randomUUID()) =>
  user.rest.call('POST', `/v1/conversations/${conversationId}/messages`, { body: { content: 'x', clientMsgId } });
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

describe('a retry of a stored send', () => {
  it('is answered while the limit of its conversation is used up, over the socket too', async () => {
    const [ada, bob] = (await Promise.all([app.user(), app.user()])) as [TestUser, TestUser];
    const { conversationId } = await ada.group([bob]);
    const socket = await ada.connect();
    const first = randomUUID();
    await sendTo(ada, conversationId, first);
    await Promise.all(Array.from({ length: 60 }, () => sendTo(ada, conversationId)));
    const repeated = await Promise.all(
      Array.from({ length: 15 }, () => socket.send({ conversationId, content: 'x', clientMsgId: first })),
    );
    expect(repeated.every(({ duplicate, seq }) => duplicate && seq === 1)).toBe(true);
    const message = (await sendTo(ada, conversationId, first)).json as Message;
    expect(message.seq).toBe(1);
  });
});

describe('with limits, as they are by default', () => {
  it('a user sends 30 messages in 10 s in a conversation, and may repeat each for ever', async () => {
    const ada = await app.user();
    const { conversationId } = await ada.group([]);
    const ids = Array.from({ length: 31 }, () => randomUUID());
    const answers = [];
    for (const id of ids) answers.push(await sendTo(ada, conversationId, id));
    expect(statuses(answers)).toEqual([...Array<number>(30).fill(201), 429]);
    expect(
      await ada.rest.refusal('POST', `/v1/conversations/${conversationId}/messages`, {
        content: 'x',
        clientMsgId: randomUUID(),
      }),
    ).toBe('429 rate_limited');
    expect(statuses(await Promise.all(ids.slice(0, 10).map((id) => sendTo(ada, conversationId, id))))).toEqual(
      Array(10).fill(200),
    );
    const socket = await ada.connect();
    const repeated = { conversationId, content: 'x', clientMsgId: ids[0] };
    expect(await socket.send(repeated)).toMatchObject({ duplicate: true, seq: 1 });
    const refused = (await socket.raw('send_message', { ...repeated, clientMsgId: randomUUID() })) as {
      error: { code: string; retryAfterMs: number };
    };
    expect(refused.error).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(refused.error.retryAfterMs).toBeGreaterThan(0);
    const other = await ada.group([]);
    expect((await sendTo(ada, other.conversationId)).status).toBe(201);
    expect((await ada.conversation(conversationId)).lastSeq).toBe(30);
  });

  it('a user sends 120 messages a minute in all conversations together', async () => {
    const ada = await app.user();
    const groups = await Promise.all(Array.from({ length: 5 }, () => ada.group([])));
    const answers = await Promise.all(
      groups.flatMap(({ conversationId }) => Array.from({ length: 25 }, () => sendTo(ada, conversationId))),
    );
    expect(statuses(answers).filter((status) => status === 201)).toHaveLength(120);
    expect(statuses(answers).filter((status) => status === 429)).toHaveLength(5);
  });

  it('a conversation takes 50 messages a second from all its members', async () => {
    const users = await app.someUsers('A', 'B', 'C', 'D');
    const group = await (users[0] as TestUser).group(users.slice(1));
    const answers = await Promise.all(
      users.flatMap((user) => Array.from({ length: 25 }, () => sendTo(user, group.conversationId))),
    );
    const stored = statuses(answers).filter((status) => status === 201).length;
    expect(statuses(answers).every((status) => status === 201 || status === 429)).toBe(true);
    expect(stored).toBeGreaterThanOrEqual(50);
    expect(stored).toBeLessThan(100);
  });

  it('the sixth failed login a minute to an account is refused, also with the right password', async () => {
    const ada = await app.user();
    const anyone = new RestClient(app.url);
    const login = (password: string) => anyone.refusal('POST', '/v1/auth/login', { username: ada.username, password });
    for (let i = 0; i < 5; i++) expect(await login('wrong password')).toBe('401 invalid_credentials');
    expect(await login('wrong password')).toBe('429 rate_limited');
    expect(await login(PASSWORD)).toBe('429 rate_limited');
    await ada.rest.want(200, UserSchema, 'GET', '/v1/users/me');
    const other = await app.user();
    const body = { username: other.username, password: PASSWORD };
    expect((await anyone.call('POST', '/v1/auth/login', { body })).status).toBe(200);
    const unknown = freshName();
    const guess = () => anyone.refusal('POST', '/v1/auth/login', { username: unknown, password: 'wrong password' });
    for (let i = 0; i < 5; i++) expect(await guess()).toBe('401 invalid_credentials');
    expect(await guess()).toBe('429 rate_limited');
  });

  it('a user has so many sockets and no more', async () => {
    const ada = await app.user();
    const sockets = await Promise.all([ada.connect(), ada.connect(), ada.connect()]);
    const auth = { token: ada.rest.token, deviceId: randomUUID() };
    // Servers tell each other of their sockets now and then.
    await expect.poll(() => handshakeRefusal(app.url, auth), { timeout: 3_000 }).toBe('429 rate_limited');
    sockets[0]?.close();
    await expect.poll(() => handshakeRefusal(app.url, auth), { timeout: 3_000 }).toBe('accepted');
  });

  it('a burst of socket events is refused beyond its limit, an excess that goes on closes the socket', async () => {
    const ada = await app.user();
    const socket = await ada.connect();
    const burst = await Promise.all(Array.from({ length: 60 }, () => socket.raw('heartbeat', { active: true })));
    const refused = (burst as { ok: boolean; error?: { code: string } }[]).filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThan(10);
    expect(new Set(refused.map(({ error }) => error?.code))).toEqual(new Set(['rate_limited']));
    const flood = setInterval(() => {
      for (let i = 0; i < 100; i++) socket.socket.emit('heartbeat', { active: true });
    }, 50);
    try {
      expect(await socket.waitFor('closing', undefined, 12_000)).toMatchObject({ code: 'rate_limited' });
      await socket.waitForEnd();
    } finally {
      clearInterval(flood);
    }
  });

  it('a user makes 600 REST requests a minute', async () => {
    const ada = await app.user();
    const ask = () => ada.rest.call('GET', '/v1/connect');
    const seen: number[] = [];
    for (let i = 0; i < 13; i++) seen.push(...statuses(await Promise.all(Array.from({ length: 50 }, ask))));
    expect(seen.filter((status) => status === 200)).toHaveLength(600);
    expect(await ada.rest.refusal('GET', '/v1/connect')).toBe('429 rate_limited');
  });

  it('an address without a token makes so many, and then waits', async () => {
    const anyone = new RestClient(app.url);
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) {
      seen.push(...statuses(await Promise.all(Array.from({ length: 50 }, () => anyone.call('GET', '/v1/users/me')))));
    }
    expect(new Set(seen)).toEqual(new Set([401, 429]));
    expect(await anyone.refusal('GET', '/v1/users/me')).toBe('429 rate_limited');
  });
});
