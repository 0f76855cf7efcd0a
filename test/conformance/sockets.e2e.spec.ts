import { randomUUID } from 'node:crypto';
import { SessionSchema } from '@parley/contracts';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { handshakeRefusal, TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let conversationId: string;
beforeAll(async () => {
  app = await TestApp.start({ ALLOWED_ORIGINS: 'https://app.example' });
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  ({ conversationId } = await ada.group([bob]));
});
afterAll(() => app.stop());

describe('the handshake', () => {
  const deviceId = randomUUID();

  it.each<[string, () => Record<string, unknown>, RegExp]>([
    ['nothing', () => ({}), /^401 unauthenticated/],
    ['no token', () => ({ deviceId }), /^401 unauthenticated/],
    ['an empty token', () => ({ token: '', deviceId }), /^401 unauthenticated/],
    ['a wrong token', () => ({ token: 'nonsense', deviceId }), /^401 unauthenticated/],
    ['a wrong token and no device', () => ({ token: 'nonsense' }), /^401 unauthenticated/],
    ['no device', () => ({ token: ada.rest.token }), /^400 validation_failed deviceId/],
    [
      'a device that is no UUID',
      () => ({ token: ada.rest.token, deviceId: 'phone' }),
      /^400 validation_failed deviceId/,
    ],
    [
      'a field too many',
      () => ({ token: ada.rest.token, deviceId, userId: bob.userId }),
      /^400 validation_failed userId:unknown_field/,
    ],
    [
      'a token in a list',
      () => ({ token: [ada.rest.token], deviceId }),
      /^(401 unauthenticated|400 validation_failed)/,
    ],
  ])('with %s is refused by an error object', async (_, auth, refusal) => {
    expect(await handshakeRefusal(app.url, auth())).toMatch(refusal);
  });

  it.each([['websocket'], ['polling']])('succeeds over %s', async (transport) => {
    const socket = await TestSocket.connect(app.url, { token: ada.rest.token, deviceId }, { transports: [transport] });
    expect(await socket.ask('heartbeat', { active: true })).toMatchObject({
      serverTime: expect.stringMatching(/Z$/) as unknown,
    });
    const message = await bob.send(conversationId, `over ${transport}`);
    await socket.waitFor('new_message', ({ messageId }) => messageId === message.messageId);
    expect(socket.misfits).toEqual([]);
    socket.close();
  });

  it('succeeds over polling that is upgraded, as clients do by default', async () => {
    const socket = await TestSocket.connect(
      app.url,
      { token: ada.rest.token, deviceId },
      { transports: ['polling', 'websocket'] },
    );
    const transport = () => socket.socket.io.engine.transport.name;
    await expect.poll(transport, { timeout: 5_000 }).toBe('websocket');
    const content = '💥'.repeat(50_000);
    const { messageId } = await bob.send(conversationId, content);
    const seen = await socket.waitFor('new_message', (message) => message.messageId === messageId);
    expect(seen.content === content).toBe(true);
    const sent = await socket.send({ conversationId, content, clientMsgId: randomUUID() });
    expect((await bob.message(conversationId, sent.messageId)).content === content).toBe(true);
    socket.close();
  });

  it('is refused to a page of another origin, whatever cookie it brings, and open to a configured one', async () => {
    const from = (origin: string) =>
      TestSocket.connect(
        app.url,
        { token: ada.rest.token, deviceId },
        { extraHeaders: { origin, cookie: 'session=1' } },
      );
    await expect(from('https://evil.example')).rejects.toThrow('websocket error');
    const socket = await from('https://app.example');
    await socket.ask('heartbeat', { active: true });
    socket.close();
  });

  it('in another namespace is refused', async () => {
    const socket = io(`${app.url}/admin`, {
      auth: { token: ada.rest.token, deviceId },
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
    });
    const error = await new Promise((done) => socket.once('connect_error', done));
    expect(error).toBeInstanceOf(Error);
    socket.close();
  });
});

describe('an authenticated socket', () => {
  it('renews its token, of the same user only', async () => {
    const { refreshToken } = ada.session;
    const session = await new RestClient(app.url).want(200, SessionSchema, 'POST', '/v1/auth/refresh', {
      refreshToken,
    });
    const socket = await TestSocket.connect(app.url, { token: session.accessToken, deviceId: randomUUID() });
    await socket.ask('authenticate', { token: session.accessToken });
    expect(await socket.refusal('authenticate', { token: bob.rest.token })).toMatch(/^401 unauthenticated/);
    expect(await socket.refusal('authenticate', { token: 'nonsense' })).toMatch(/^401 unauthenticated/);
    expect(await socket.refusal('authenticate', {})).toMatch(/^400 validation_failed token/);
    await socket.ask('heartbeat', { active: false });
    socket.close();
    ada.rest.token = session.accessToken;
  });

  it('answers every event without a payload, or with one that is nothing', async () => {
    const socket = await bob.connect();
    const events = [
      'send_message',
      'edit_message',
      'delete_message',
      'react',
      'unreact',
      'ack',
      'read_receipt',
      'typing',
      'heartbeat',
      'authenticate',
    ];
    for (const name of events) {
      expect(await socket.refusal(name), name).toMatch(/^400 validation_failed/);
      for (const payload of [null, 17, 'text', true, [], [[]], [{}]]) {
        expect(await socket.refusal(name, payload), `${name} ${JSON.stringify(payload)}`).toMatch(
          /^400 validation_failed/,
        );
      }
      expect(await socket.refusal(name, {}, {}, {}, {}, {}), name).toMatch(/^400 validation_failed/);
    }
    for (const payload of [17, 'text', []])
      expect(await socket.refusal('sync', payload)).toMatch(/^400 validation_failed/);
    expect(socket.disconnected).toBeUndefined();
  });

  it.each(['unknown', 'x'.repeat(10_000), '__proto__', 'constructor', 'toString', 'new_message', 'join', '', ' '])(
    'answers the unknown event %.12s',
    async (name) => {
      const socket = await bob.connect();
      expect(await socket.refusal(name, {})).toMatch(/^400 validation_failed/);
      await socket.ask('heartbeat', { active: true });
    },
  );

  it('answers nesting that is too deep, and lives on', async () => {
    const socket = await bob.connect();
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as unknown;
    for (const levels of [17, 3_000]) {
      const payload = { conversationId, content: nested(levels), clientMsgId: 'a' };
      expect(await socket.refusal('send_message', payload)).toMatch(/:too_deep$/);
    }
    await socket.ask('heartbeat', { active: true });
  });

  it('refuses binary in the place of text', async () => {
    const socket = await bob.connect();
    const payload = { conversationId, content: Buffer.from('x'), clientMsgId: 'a' };
    const answer = socket.raw('send_message', payload).catch(() => 'no answer');
    const outcome = await Promise.race([answer, socket.waitForEnd(12_000)]);
    expect(JSON.stringify(outcome)).not.toContain('"ok":true');
    expect((await ada.history(conversationId)).items.every(({ clientMsgId }) => clientMsgId !== 'a')).toBe(true);
  });

  it('takes an event without a callback, and stores it', async () => {
    const socket = await bob.connect();
    const clientMsgId = randomUUID();
    socket.socket.emit('send_message', { conversationId, content: 'no callback', clientMsgId });
    socket.socket.emit('send_message', 'nonsense');
    socket.socket.emit('nonsense');
    await expect
      .poll(async () => (await ada.history(conversationId, '?limit=1')).items[0]?.clientMsgId)
      .toBe(clientMsgId);
    await socket.ask('heartbeat', { active: true });
  });

  it('answers a frame above 1.5 MB, and is closed by one above twice that', async () => {
    const socket = await bob.connect();
    const send = (bytes: number) =>
      socket.raw('send_message', { conversationId, content: 'x'.repeat(bytes), clientMsgId: 'b' });
    expect(
      await socket.refusal('send_message', { conversationId, content: 'x'.repeat(1_600_000), clientMsgId: 'b' }),
    ).toBe('413 payload_too_large');
    await socket.ask('heartbeat', { active: true });
    void send(3_200_000).catch(() => {});
    expect(await socket.waitForEnd()).toMatch(/transport/);
  });

  it('joins no room by asking for it', async () => {
    const eve = await (await app.user('Eve')).connect();
    for (const name of ['join', 'subscribe', 'join_room', 'presence_subscribe']) await eve.raw(name, conversationId);
    await ada.send(conversationId, 'still private');
    await eve.ask('heartbeat', { active: true });
    expect(eve.events).toEqual([]);
  });

  it.each(['edit_message', 'delete_message', 'react', 'read_receipt', 'typing', 'send_message'])(
    'answers %s of a foreign conversation like one that does not exist',
    async (name) => {
      const eve = await (await app.user('Eve')).connect();
      const { messageId } = await ada.send(conversationId, 'secret');
      const fields: Record<string, object> = {
        edit_message: { messageId, content: 'x' },
        delete_message: { messageId },
        react: { messageId, emoji: 'x' },
        read_receipt: { lastReadMessageId: messageId },
        typing: {},
        send_message: { content: 'x', clientMsgId: 'c' },
      };
      const ask = (id: string) => eve.raw(name, { conversationId: id, ...fields[name] });
      const [theirs, nobodys] = await Promise.all([ask(conversationId), ask(randomUUID())]);
      expect(theirs).toEqual(nobodys);
      expect(theirs).toMatchObject({ ok: false, error: { code: 'not_found', status: 404 } });
    },
  );
});
