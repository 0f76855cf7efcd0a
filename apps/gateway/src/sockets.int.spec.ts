import { randomUUID } from 'node:crypto';
import { PAYLOAD_BYTES_MAX, type SocketError } from '@parley/contracts';
import { AcknowledgeDelivery, DomainError, ReactToMessage, SendMessage, SyncConversations } from '@parley/domain';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { authOf, CONVERSATION, startTestGateway, type TestGateway } from './testing/gateway-testing.js';
import { RawSocket } from './testing/raw-socket.js';

const USER = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';

let gateway: TestGateway;
const opened: (Socket | RawSocket)[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ ALLOWED_ORIGINS: 'https://app.example.com' });
});
afterAll(() => gateway.stop());
afterEach(() => {
  for (const socket of opened.splice(0)) {
    if (socket instanceof RawSocket) socket.destroy();
    else socket.disconnect();
  }
});

async function raw(auth: object = authOf(USER)): Promise<RawSocket> {
  const socket = await RawSocket.connect(gateway.url, auth);
  opened.push(socket);
  return socket;
}

function client(auth: object, transports = ['websocket']): Socket {
  const socket = io(gateway.url, { auth, transports, forceNew: true, reconnection: false });
  opened.push(socket);
  return socket;
}

const connected = (socket: Socket): Promise<void> =>
  new Promise((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
const refusal = (socket: Socket): Promise<SocketError> =>
  new Promise((resolve, reject) => {
    socket.once('connect', () => reject(new Error('it was let in')));
    socket.once('connect_error', (error) => resolve((error as Error & { data: SocketError }).data));
  });

const error = (answer: Record<string, unknown>): SocketError => {
  expect(answer.ok).toBe(false);
  return answer.error as SocketError;
};
const fieldCode = (answer: Record<string, unknown>): string | undefined => error(answer).errors?.[0]?.code;

describe('the handshake', () => {
  it('lets a valid token in, over a websocket and over polling', async () => {
    for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
      const socket = client(authOf(USER), transports);
      await connected(socket);
      const answer = await socket.emitWithAck('heartbeat', { active: true });
      expect(answer).toMatchObject({ ok: true, serverTime: expect.stringMatching(/Z$/) });
      socket.disconnect();
    }
  });

  it.each([
    ['no token', { deviceId: randomUUID() }, 'unauthenticated'],
    ['an empty handshake', {}, 'unauthenticated'],
    ['a token that is not a text', { token: ['x'], deviceId: randomUUID() }, 'unauthenticated'],
    ['a token nobody signed', { token: 'nonsense', deviceId: randomUUID() }, 'unauthenticated'],
    ['an expired token', { token: 'expired', deviceId: randomUUID() }, 'token_expired'],
    ['no device', { token: `user:${USER}` }, 'validation_failed'],
    ['an unknown field', { ...authOf(USER), admin: true }, 'validation_failed'],
  ])('refuses %s with the error object', async (_what, auth, code) => {
    const problem = await refusal(client(auth));
    expect(problem).toMatchObject({ code, status: expect.any(Number), retryable: false });
  });

  it('refuses a web page of a foreign origin and lets the configured one in', async () => {
    await expect(RawSocket.open(gateway.url, { origin: 'https://evil.example', cookie: 'a=b' })).rejects.toThrow(/400/);
    const polling = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(polling.status).toBe(403);
    const allowed = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`, {
      headers: { origin: 'https://app.example.com' },
    });
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  });

  it('closes a stranger that sends more than a handshake needs', async () => {
    const socket = await RawSocket.open(gateway.url);
    opened.push(socket);
    socket.send(`40${JSON.stringify({ token: 'x'.repeat(20_000), deviceId: randomUUID() })}`);
    await socket.untilClosed();
    expect(socket.texts).toHaveLength(1);
  });

  it('closes a connection that keeps presenting bad tokens', async () => {
    const socket = await RawSocket.open(gateway.url);
    opened.push(socket);
    const before = gateway.verifier.verifications;
    for (let attempt = 0; attempt < 50; attempt++) {
      socket.send(`40${JSON.stringify({ token: 'nonsense', deviceId: randomUUID() })}`);
    }
    await socket.untilClosed();
    expect(gateway.verifier.verifications - before).toBeLessThanOrEqual(3);
  });
});

describe('an event', () => {
  const valid = { conversationId: CONVERSATION, content: 'Hello', clientMsgId: 'c-1' };

  it('reaches its command with the actor and answers what the command gave', async () => {
    gateway.domain.on(SendMessage, () => ({ status: 'accepted', clientMsgId: 'c-1' }));
    const socket = client(authOf(USER));
    await connected(socket);
    const answer = await socket.emitWithAck('send_message', valid);
    expect(answer).toEqual({ ok: true, status: 'accepted', clientMsgId: 'c-1' });
    const command = gateway.domain.of(SendMessage).at(-1);
    expect(command?.actor).toEqual({ userId: USER, connectionId: socket.id });
    expect(command?.payload).toEqual({ ...valid, contentType: 'text' });
  });

  it('answers the refusal of a command with its code, and a bug without its words', async () => {
    const socket = await raw();
    gateway.domain.on(ReactToMessage, () => {
      throw new DomainError('overloaded', 'Busy', { retryAfterMs: 250 });
    });
    const place = { conversationId: CONVERSATION, messageId: '1' };
    socket.send(`421["react",${JSON.stringify({ ...place, emoji: '👍' })}]`);
    expect(error(await socket.answer(1))).toEqual({
      code: 'overloaded',
      status: 503,
      detail: 'Busy',
      retryable: true,
      retryAfterMs: 250,
    });
    gateway.domain.on(SyncConversations, () => Promise.reject(new TypeError('secret of the house')));
    socket.send('422["sync",{}]');
    const internal = error(await socket.answer(2));
    expect(internal).toMatchObject({ code: 'internal', status: 500 });
    expect(JSON.stringify(internal)).not.toContain('secret');
  });

  it('keeps the order of one socket without waiting for answers', async () => {
    const socket = await raw();
    const before = gateway.domain.of(SendMessage).length;
    for (let n = 0; n < 40; n++) {
      socket.send(`42${n}["send_message",${JSON.stringify({ ...valid, clientMsgId: `o-${n}` })}]`);
    }
    await socket.answer(39);
    const order = gateway.domain.of(SendMessage).slice(before);
    expect(order.map(({ payload }) => payload.clientMsgId)).toEqual(Array.from({ length: 40 }, (_, n) => `o-${n}`));
  });

  it.each([
    ['an unknown event', '["nonsense",{}]', 'unknown_event'],
    ['an event of Object.prototype', '["constructor",{}]', 'unknown_event'],
    ['a name of 10 KB', `["${'n'.repeat(10_240)}",{}]`, 'unknown_event'],
    ['a number for a name', '[7,{}]', 'unknown_event'],
    ['no name at all', '[]', 'unknown_event'],
    ['a reserved name', '["disconnect",{}]', 'unknown_event'],
    ['another reserved name', '["connect_error",{}]', 'unknown_event'],
    ['a missing payload', '["heartbeat"]', 'required'],
    ['null for a payload', '["heartbeat",null]', 'invalid_type'],
    ['an array for an object', '["heartbeat",[]]', 'invalid_type'],
    ['five arguments', '["heartbeat",{"active":true},1,2,3,4]', 'too_many_arguments'],
    ['an unknown field', '["heartbeat",{"active":true,"role":"admin"}]', 'unknown_field'],
    ['__proto__ as a field', '["heartbeat",{"active":true,"__proto__":{"admin":true}}]', 'unknown_field'],
    ['a text for a truth value', '["heartbeat",{"active":"yes"}]', 'invalid_type'],
    ['3,000 nested arrays', `["sync",{"cursors":${'['.repeat(3000)}${']'.repeat(3000)}}]`, 'too_deep'],
    ['200,000 nested arrays', `["sync",${'['.repeat(200_000)}${']'.repeat(200_000)}]`, 'too_deep'],
    ['truncated JSON', '["heartbeat",{"active":true}', 'invalid_json'],
    ['an object for the packet', '{"heartbeat":1}', 'invalid_json'],
    ['no JSON', '', 'invalid_json'],
    ['an infinite number', '["sync",{"limit":1e999}]', 'invalid_type'],
  ])('answers %s and stays connected', async (_what, packet, code) => {
    const socket = await raw();
    socket.send(`427${packet}`);
    const answer = await socket.answer(7);
    expect(error(answer).code).toBe('validation_failed');
    expect(fieldCode(answer)).toBe(code);
    socket.send('428["heartbeat",{"active":true}]');
    expect(await socket.answer(8)).toMatchObject({ ok: true });
  });

  it('takes a text above 1.5 MB as too large, and closes above twice that', async () => {
    const socket = await raw();
    const content = 'x'.repeat(PAYLOAD_BYTES_MAX + 100_000);
    socket.send(`425["send_message",${JSON.stringify({ ...valid, content })}]`);
    expect(error(await socket.answer(5))).toMatchObject({ code: 'payload_too_large', status: 413 });
    socket.send(`426["send_message",${JSON.stringify({ ...valid, content: content + content })}]`);
    await socket.untilClosed();
  });

  it('counts the bytes, not the characters, of a text', async () => {
    const socket = await raw();
    const content = '€'.repeat(PAYLOAD_BYTES_MAX / 3 + 1);
    socket.send(`425["send_message",${JSON.stringify({ ...valid, content })}]`);
    expect(error(await socket.answer(5)).code).toBe('payload_too_large');
  });

  it('takes 100,000 emoji as they are', async () => {
    const socket = await raw();
    const content = '👩'.repeat(100_000);
    socket.send(`425["send_message",${JSON.stringify({ ...valid, content })}]`);
    expect(await socket.answer(5)).toMatchObject({ ok: true });
    expect(gateway.domain.of(SendMessage).at(-1)?.payload.content).toBe(content);
  });

  it('refuses binary attachments at once, whether they come or not', async () => {
    const socket = await raw();
    socket.send('451-9["heartbeat",{"active":{"_placeholder":true,"num":0}}]');
    expect(fieldCode(await socket.answer(9))).toBe('binary_not_taken');
    socket.sendBinary(Buffer.alloc(1_000));
    socket.send('452-10["heartbeat",{"_placeholder":true,"num":0}]');
    expect(fieldCode(await socket.answer(10))).toBe('binary_not_taken');
    socket.send('4211["heartbeat",{"active":true}]');
    expect(await socket.answer(11)).toMatchObject({ ok: true });
  });

  it('gets no answer when it asks for none, and still counts', async () => {
    const socket = await raw();
    const before = gateway.domain.of(SendMessage).length;
    socket.send(`42["send_message",${JSON.stringify(valid)}]`);
    socket.send('42["nonsense"]');
    socket.send('42[');
    socket.send('421["heartbeat",{"active":true}]');
    await socket.answer(1);
    expect(gateway.domain.of(SendMessage).length).toBe(before + 1);
    expect(socket.texts.filter((text) => text.startsWith('43'))).toHaveLength(1);
  });

  it.each([
    ['an unknown packet type', '49["x"]'],
    ['a packet without its attachments', '45-["heartbeat",{}]'],
    ['a thousand attachments', '451000-["heartbeat",{}]'],
    ['an acknowledgement id of a hundred digits', `42${'9'.repeat(100)}["heartbeat",{}]`],
  ])('ends only that connection on %s', async (_what, text) => {
    const [bad, good] = [await raw(), await raw()];
    bad.send(text);
    await bad.untilClosed();
    good.send('421["heartbeat",{"active":true}]');
    expect(await good.answer(1)).toMatchObject({ ok: true });
  });

  it('ends the connection of a client that leaves the namespace', async () => {
    const socket = await raw();
    socket.send('41');
    await socket.untilClosed();
    expect(gateway.app.get(ConnectionRegistry, { strict: false }).size).toBe(0);
  });

  it('acknowledges a delivery by the place that its command found', async () => {
    gateway.domain.on(AcknowledgeDelivery, () => ({ conversationId: CONVERSATION, seq: 3 }));
    const socket = await raw();
    socket.send('421["ack",{"messageId":"764123456789000003"}]');
    expect(await socket.answer(1)).toEqual({ ok: true });
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toBeNull();
  });
});
