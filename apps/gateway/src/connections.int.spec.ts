import { randomUUID } from 'node:crypto';
import { DomainError, SendMessage } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionKeeper } from './connections/connection-keeper.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { GatewayDrain } from './connections/gateway-drain.js';
import { CONVERSATION, messageOf, startTestGateway, type TestGateway } from './testing/gateway-testing.js';
import { clientsOf } from './testing/raw-clients.js';
import { RawSocket } from './testing/raw-socket.js';

let gateway: TestGateway;
const client = clientsOf(() => gateway);
const sweep = (): void => gateway.app.get(ConnectionKeeper, { strict: false }).sweep();
const size = (): number => gateway.app.get(ConnectionRegistry, { strict: false }).size;

describe('an open socket', () => {
  beforeAll(async () => {
    gateway = await startTestGateway({ SOCKET_BUFFER_BYTES_MAX: '1000000' });
  });
  afterAll(() => gateway.stop());
  beforeEach(() => {
    gateway.verifier.lifetimeMs = 86_400_000;
  });

  it('is told 60 s before its token runs out, once, and ended when it has', async () => {
    gateway.verifier.lifetimeMs = 90_000;
    const { socket, heard, hears, emit } = await client();
    sweep();
    expect(heard('token_expiring')).toEqual([]);
    gateway.advance(31_000);
    await emit(1, 'heartbeat', { active: true });
    sweep();
    sweep();
    const [expiring] = await hears('token_expiring');
    expect(expiring).toEqual({ expiresAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) });
    gateway.advance(60_000);
    sweep();
    expect(await hears('closing')).toEqual([{ code: 'token_expired', reconnect: 'with_new_token', afterMs: 0 }]);
    await socket.untilClosed();
    expect(heard('token_expiring')).toHaveLength(1);
  });

  it('outlives its first token with a new one of the same user', async () => {
    gateway.verifier.lifetimeMs = 50_000;
    const { userId, socket, heard, hears, emit } = await client();
    sweep();
    await hears('token_expiring');
    gateway.verifier.lifetimeMs = 3_600_000;
    const other = await emit(1, 'authenticate', { token: `user:${randomUUID()}` });
    expect(other).toMatchObject({ ok: false, error: { code: 'unauthenticated' } });
    const expired = await emit(2, 'authenticate', { token: 'expired' });
    expect(expired).toMatchObject({ ok: false, error: { code: 'token_expired' } });
    const renewed = await emit(3, 'authenticate', { token: `user:${userId}` });
    expect(renewed).toMatchObject({ ok: true, expiresAt: expect.any(String) });
    gateway.advance(51_000);
    sweep();
    expect(await emit(4, 'heartbeat', { active: true })).toMatchObject({ ok: true });
    expect(heard('closing')).toEqual([]);
    expect(socket.closed).toBe(false);
  });

  it('ends when its session is revoked, and only then', async () => {
    const ended = await client(undefined, 'session-1');
    const other = await client(undefined, 'session-2');
    gateway.revocations.announce(['session-1', 'session-9']);
    expect(await ended.hears('closing')).toEqual([{ code: 'session_revoked', reconnect: 'never', afterMs: 0 }]);
    await ended.socket.untilClosed();
    expect(await other.emit(1, 'heartbeat', { active: true })).toMatchObject({ ok: true });
  });

  it('ends at once when its session was revoked while it was being let in', async () => {
    gateway.revocations.announce(['session-late']);
    const { socket, hears } = await client(undefined, 'session-late');
    expect(await hears('closing')).toMatchObject([{ code: 'session_revoked' }]);
    await socket.untilClosed();
  });

  it('ends after 95 s of silence, and every event counts against it', async () => {
    const silent = await client();
    const talking = await client();
    gateway.advance(94_000);
    sweep();
    expect(silent.heard('closing')).toEqual([]);
    await talking.emit(1, 'nonsense', {});
    gateway.advance(2_000);
    sweep();
    expect(await silent.hears('closing')).toEqual([{ code: 'heartbeat_missed', reconnect: 'now', afterMs: 0 }]);
    await silent.socket.untilClosed();
    expect(await talking.emit(2, 'heartbeat', { active: false })).toMatchObject({ ok: true });
  });

  it('is closed as too slow when too much waits for its reader, and others notice nothing', async () => {
    const [slow, quick] = [await client(), await client()];
    gateway.reader.setMembers([slow.userId, quick.userId]);
    slow.socket.pause();
    const content = 'x'.repeat(100_000);
    const before = size();
    for (let seq = 1; size() === before && seq < 500; seq++) {
      gateway.publishSent(messageOf(seq, randomUUID(), content));
      await quick.hears('new_message', seq);
      if (seq % 10 === 0) {
        gateway.advance(5_001);
        sweep();
      }
    }
    expect(size()).toBe(before - 1);
    slow.socket.resume();
    await slow.socket.untilClosed(10_000);
    expect(await quick.emit(1, 'heartbeat', { active: true })).toMatchObject({ ok: true });
  });

  it('tells a slow reader why, if it comes back in time', async () => {
    const slow = await client();
    gateway.reader.setMembers([slow.userId]);
    slow.socket.pause();
    const [closing] = gateway.app.get(ConnectionRegistry, { strict: false }).ofUser(slow.userId);
    // The kernel takes some megabytes before anything waits here.
    let seq = 1;
    const publish = (): void => gateway.publishSent(messageOf(seq++, randomUUID(), 'y'.repeat(50_000)));
    for (; closing?.link.bufferedBytes() === 0 || seq < 3; await new Promise(setImmediate)) publish();
    for (let more = 0; more < 200; more++) publish();
    expect(closing?.closing).toBe(true);
    expect(closing?.link.bufferedBytes()).toBeLessThan(500_000);
    slow.socket.resume();
    expect(await slow.hears('closing')).toEqual([{ code: 'slow_consumer', reconnect: 'now', afterMs: 0 }]);
    await slow.socket.untilClosed();
    expect(slow.heard('new_message').length).toBeLessThan(seq - 180);
  });

  it('is closed when its reader takes nothing for 10 s, however little waits', async () => {
    const stalled = await client();
    gateway.reader.setMembers([stalled.userId]);
    stalled.socket.pause();
    const registry = gateway.app.get(ConnectionRegistry, { strict: false });
    const [connection] = registry.ofUser(stalled.userId);
    for (let seq = 1; connection?.link.bufferedBytes() === 0 || seq < 3; seq++) {
      gateway.publishSent(messageOf(seq, randomUUID(), 'z'.repeat(400_000)));
      await new Promise(setImmediate);
    }
    sweep();
    gateway.advance(9_000);
    sweep();
    expect(connection?.closing).toBe(false);
    gateway.advance(1_500);
    sweep();
    expect(connection?.closing).toBe(true);
    gateway.advance(5_001);
    sweep();
    stalled.socket.resume();
    await stalled.socket.untilClosed();
    expect(registry.ofUser(stalled.userId)).toEqual([]);
  });
});

describe('limits', () => {
  beforeAll(async () => {
    gateway = await startTestGateway({ SOCKETS_PER_USER_MAX: '3', SOCKETS_PER_ADDRESS_MAX: '6' });
  });
  afterAll(() => gateway.stop());

  it('refuse events above 50 a second, and end a socket that goes on', async () => {
    const { socket, hears } = await client();
    for (let id = 1; id <= 60; id++) socket.send(`42${id}["heartbeat",{"active":true}]`);
    expect(await socket.answer(1)).toMatchObject({ ok: true });
    expect(await socket.answer(50)).toMatchObject({ ok: true });
    expect(await socket.answer(60)).toMatchObject({ ok: false, error: { code: 'rate_limited', retryAfterMs: 1_000 } });
    for (let id = 61; id <= 2_100; id++) socket.send(`42${id}["heartbeat",{"active":true}]`);
    expect(await hears('closing')).toEqual([{ code: 'rate_limited', reconnect: 'now', afterMs: 0 }]);
    await socket.untilClosed();
  });

  it('leave sends to the limits of users and conversations', async () => {
    const { socket } = await client();
    const payload = JSON.stringify({ conversationId: CONVERSATION, content: 'Hi', clientMsgId: 'same' });
    for (let id = 1; id <= 120; id++) socket.send(`42${id}["send_message",${payload}]`);
    expect(await socket.answer(120)).toMatchObject({ ok: true });
  });

  it('let a user have no more sockets than allowed, until one goes', async () => {
    const userId = randomUUID();
    const open = [await client(userId), await client(userId), await client(userId)];
    const fourth = await client(userId);
    expect(fourth.socket.texts.at(-1)).toMatch(/^44\{.*"code":"rate_limited".*"retryAfterMs":\d+/);
    open[0]?.socket.destroy();
    await expect.poll(() => gateway.app.get(ConnectionRegistry, { strict: false }).ofUser(userId).length).toBe(2);
    const fifth = await client(userId);
    expect(fifth.socket.texts.at(-1)).toMatch(/^40\{/);
  });

  it('let an address have no more sockets than allowed, and then not even ask', async () => {
    const others: RawSocket[] = [];
    for (let n = 0; n < 6; n++) others.push(await RawSocket.open(gateway.url));
    const seventh = await client();
    expect(seventh.socket.texts.at(-1)).toMatch(/^44\{.*"code":"rate_limited"/);
    for (let n = 7; n < 13; n++) others.push(await RawSocket.open(gateway.url));
    await expect(RawSocket.open(gateway.url)).rejects.toThrow('refused with 400');
    for (const socket of others) socket.destroy();
    await expect
      .poll(async () => {
        const { socket } = await client();
        return socket.texts.at(-1);
      })
      .toMatch(/^40\{/);
  });
});

describe('a drain', () => {
  beforeAll(async () => {
    gateway = await startTestGateway({ RATE_LIMITS: 'off' });
  });
  afterAll(() => gateway.stop());

  it('answers what is under way, sends everybody elsewhere at different times, and takes nobody new', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => client()));
    let finish = (): void => {};
    gateway.domain.on(SendMessage, () => {
      return new Promise((resolve) => {
        finish = () => resolve({ status: 'accepted', clientMsgId: 'c' });
      });
    });
    const [busy, ...idle] = many as [(typeof many)[0], ...typeof many];
    const payload = { conversationId: CONVERSATION, content: 'Hi', clientMsgId: 'c' };
    const answer = busy.emit(1, 'send_message', payload);
    await expect.poll(() => gateway.domain.of(SendMessage).length).toBe(1);
    const drained = gateway.app.get(GatewayDrain, { strict: false }).drain(10_000);
    await Promise.all(idle.map(({ socket }) => socket.untilClosed()));
    await busy.hears('closing');
    expect(busy.socket.closed).toBe(false);
    finish();
    expect(await answer).toMatchObject({ ok: true, status: 'accepted' });
    await busy.socket.untilClosed();
    await drained;
    expect(size()).toBe(0);
    const closings = many.flatMap(({ heard }) => heard('closing')) as { afterMs: number }[];
    expect(closings).toHaveLength(20);
    const waits = new Set(closings.map(({ afterMs }) => afterMs));
    expect(waits.size).toBe(20);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_000);
    const late = await client();
    expect(late.socket.texts.at(-1)).toMatch(/^44\{.*"code":"overloaded"/);
  });

  it('ends in its time when an answer never comes', async () => {
    await gateway.stop();
    gateway = await startTestGateway();
    gateway.domain.on(SendMessage, () => new Promise(() => {}));
    const stuck = await client();
    stuck.socket.send(`421["send_message",{"conversationId":"${CONVERSATION}","content":"Hi","clientMsgId":"c"}]`);
    await expect.poll(() => gateway.domain.of(SendMessage).length).toBe(1);
    stuck.socket.pause();
    const from = Date.now();
    await gateway.app.get(GatewayDrain, { strict: false }).drain(300);
    expect(Date.now() - from).toBeLessThan(2_000);
    stuck.socket.resume();
    await stuck.socket.untilClosed();
  });

  it('lets the application close at once with sockets open', async () => {
    await gateway.stop();
    gateway = await startTestGateway();
    gateway.domain.on(SendMessage, () => {
      throw new DomainError('conflict');
    });
    const { socket } = await client();
    await gateway.stop();
    await socket.untilClosed();
    expect(socket.closed).toBe(true);
    gateway = await startTestGateway();
  });
});
