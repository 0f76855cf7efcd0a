import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { conversationRoom, type LiveEvent, type LiveTyping } from '@parley/domain';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEngines, type EngineNode, type StartedEngines } from '../../../../scripts/engines/index.mjs';
import { targetOf, TcpProxy } from '../../../../test/faults/tcp-proxy.js';
import { MemoryRateLimiter } from '../memory/memory-rate-limiter.js';
import { SILENCE_MS_MAX } from './redis-line.js';
import { RedisPorts } from './redis-ports.js';
import { REDIS_WAIT_MS_MAX } from './redis-rate-limiter.js';

/** From the end of a fault until everything works again. */
const RECOVERY_MS_MAX = 10_000;

let engines: StartedEngines;
let redis: EngineNode;
let prefix: string;
const closing: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  engines = await startEngines(['redis']);
  redis = engines.nodes[0]!;
});
afterAll(() => engines.stop());
beforeEach(async () => {
  prefix = `t-${randomUUID()}:`;
  redis.resume();
  await redis.start();
});
afterEach(async () => {
  for (const each of closing.splice(0).toReversed()) await each.close();
});

interface Process {
  ports: RedisPorts;
  heard: string[];
  interruptions: number;
  troubles: string[];
}

/** One process of a cluster, which follows conversation `a`. */
async function aProcess(url = redis.address): Promise<Process> {
  const troubles: string[] = [];
  const ports = await RedisPorts.open({ url, prefix, onTrouble: (what) => troubles.push(what) });
  closing.push(ports);
  const made: Process = { ports, heard: [], interruptions: 0, troubles };
  ports.broadcast.subscribe((events) => {
    for (const event of events) if (event.type === 'typing') made.heard.push(event.userId);
  });
  ports.broadcast.onInterruption(() => made.interruptions++);
  await ports.broadcast.follow([conversationRoom('a')]);
  return made;
}

const typing = (userId: string): LiveTyping => ({
  type: 'typing',
  conversationId: 'a',
  membershipEpoch: 1,
  userId,
  isTyping: true,
  originConnectionId: null,
});

/** What Redis is asked from now on, a line for each command. */
async function monitored(): Promise<{ commands(): string[] }> {
  const { hostname, port } = new URL(redis.address);
  const socket = connect(Number(port), hostname);
  closing.push({ close: async () => void socket.destroy() });
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.write('MONITOR\r\n');
  await expect.poll(() => text).toMatch(/^\+OK/);
  return { commands: () => text.split('\r\n').filter((line) => !line.includes('heartbeat')) };
}

/** Publishes until it arrives at the other, and fails when it does not. */
async function untilDelivered(from: Process, to: Process, msMax = RECOVERY_MS_MAX): Promise<void> {
  let attempt = 0;
  const mark = randomUUID();
  await expect
    .poll(
      async () => {
        await from.ports.broadcast.publish([typing(`${mark}-${attempt++}`)]);
        return to.heard.some((userId) => userId.startsWith(mark));
      },
      { timeout: msMax, interval: 50 },
    )
    .toBe(true);
}

/** Publishes while something goes on. @returns how long the slowest publication took */
async function publishingDuring(from: Process, fault: () => Promise<void>): Promise<number> {
  let slowestMs = 0;
  let isOver = false;
  const ended = fault().finally(() => (isOver = true));
  const publications: Promise<void>[] = [];
  for (let i = 0; !isOver; i++) {
    const began = performance.now();
    const published = from.ports.broadcast.publish([typing(`during-${i}`)]);
    publications.push(published.then(() => void (slowestMs = Math.max(slowestMs, performance.now() - began))));
    await pause(10);
  }
  await ended;
  await Promise.all(publications);
  return slowestMs;
}

describe('a Redis that is killed', () => {
  it.each([3_000, 20_000])('for %i ms ends nothing, is told, and delivers again', async (awayMs) => {
    const [here, there] = [await aProcess(), await aProcess()];
    await untilDelivered(here, there);
    const slowestMs = await publishingDuring(here, async () => {
      await redis.kill();
      await pause(awayMs);
      await redis.start();
    });
    expect(slowestMs).toBeLessThan(1_000);
    await untilDelivered(here, there);
    await untilDelivered(there, here);
    await expect.poll(() => Math.min(here.interruptions, there.interruptions), { timeout: 5_000 }).toBeGreaterThan(0);
    expect(here.ports.broadcast.lostPublications).toBeGreaterThan(awayMs / 100);
    expect(here.troubles).toContain('Redis is lost');
  });

  it('has all rooms in place again before it counts as back', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    const ids = Array.from({ length: 2_000 }, (_, i) => `many-${i}`);
    await there.ports.broadcast.follow(ids.map(conversationRoom));
    await redis.kill();
    await expect.poll(() => there.ports.isUp).toBe(false);
    await redis.start();
    await expect.poll(() => here.ports.isUp && there.ports.isUp, { timeout: RECOVERY_MS_MAX }).toBe(true);
    await here.ports.broadcast.publish(ids.map((conversationId) => ({ ...typing(conversationId), conversationId })));
    await expect.poll(() => there.heard.length).toBe(ids.length);
    expect(there.heard.toSorted()).toEqual(ids.toSorted());
  });

  it('answers no expectation, and those after it', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    await redis.kill();
    const lost = here.ports.replies.expect('a', 200);
    there.ports.replies.send(here.ports.replies.processId, [{ commandId: 'a', outcome: { kind: 'settings' } }]);
    expect(await lost).toBeNull();
    await redis.start();
    await untilDelivered(there, here);
    const found = here.ports.replies.expect('b', 5_000);
    there.ports.replies.send(here.ports.replies.processId, [{ commandId: 'b', outcome: { kind: 'settings' } }]);
    expect(await found).toEqual({ kind: 'settings' });
  });

  it('is not needed for a limit: this process goes on with what it has counted by itself', async () => {
    const { ports } = await aProcess();
    const limiter = ports.rateLimiter(new MemoryRateLimiter());
    const rate = { limit: 3, windowMs: 60_000 };
    expect((await limiter.take('a', 1, rate)).allowed).toBe(true);
    await redis.kill();
    const began = performance.now();
    const decisions = [];
    for (let i = 0; i < 3; i++) decisions.push((await limiter.take('a', 1, rate)).allowed);
    expect(decisions).toEqual([true, true, false]);
    expect(performance.now() - began).toBeLessThan(2 * REDIS_WAIT_MS_MAX);
  });

  it('may come after the process: what was followed meanwhile is told as interrupted, and arrives', async () => {
    await redis.kill();
    const there = await aProcess();
    expect(there.ports.isUp).toBe(false);
    expect(there.ports.broadcast.followedSince(conversationRoom('a'))).toBeNull();
    await redis.start();
    await expect.poll(() => there.interruptions, { timeout: RECOVERY_MS_MAX }).toBe(1);
    expect(there.ports.broadcast.followedSince(conversationRoom('a'))).toBeLessThanOrEqual(performance.now());
    await untilDelivered(await aProcess(), there);
  });
});

describe('a Redis that hangs', () => {
  it('holds no publication for longer than silence lasts, and is left for a new connection', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    const slowestMs = await publishingDuring(here, async () => {
      redis.pause();
      await expect.poll(() => here.ports.isUp, { timeout: SILENCE_MS_MAX + 4_000 }).toBe(false);
      redis.resume();
    });
    expect(slowestMs).toBeLessThan(SILENCE_MS_MAX + 4_000);
    await untilDelivered(here, there);
    await expect.poll(() => there.interruptions, { timeout: 5_000 }).toBeGreaterThan(0);
  });

  it('for a moment only is waited for: nothing is lost', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    redis.pause();
    const published = Array.from({ length: 200 }, (_, i) => here.ports.broadcast.publish([typing(String(i))]));
    await pause(SILENCE_MS_MAX / 2);
    redis.resume();
    await Promise.all(published);
    await expect.poll(() => there.heard).toEqual(Array.from({ length: 200 }, (_, i) => String(i)));
    expect([here.interruptions, there.interruptions]).toEqual([0, 0]);
  });

  it('takes a bounded number of commands, and a limit waits for it only once', async () => {
    const { ports } = await aProcess();
    const limiter = ports.rateLimiter(new MemoryRateLimiter());
    const rate = { limit: 1_000, windowMs: 60_000 };
    await limiter.take('a', 1, rate);
    redis.pause();
    const began = performance.now();
    for (let i = 0; i < 20; i++) expect((await limiter.take('a', 1, rate)).allowed).toBe(true);
    expect(performance.now() - began).toBeLessThan(3 * REDIS_WAIT_MS_MAX);
    const published = Array.from({ length: 25_000 }, () => ports.broadcast.publish([typing('1')]));
    await pause(0);
    expect(ports.broadcast.lostPublications).toBeGreaterThan(1_000);
    redis.resume();
    await Promise.all(published);
  });
});

describe('a subscriber', () => {
  it('that is cut alone says so, and is subscribed again', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    // Its own connection goes with its subscriber, perhaps before the answer.
    await here.ports['line'].command(['CLIENT', 'KILL', 'TYPE', 'pubsub']).catch(() => {});
    await expect.poll(() => there.interruptions, { timeout: RECOVERY_MS_MAX }).toBe(1);
    await untilDelivered(here, there);
  });

  it('that hears nothing on an open connection is noticed, and subscribed again', async () => {
    const proxy = await TcpProxy.start(targetOf(redis.address), { mark: 'ssubscribe' });
    closing.push(proxy);
    const [here, there] = [await aProcess(), await aProcess(`redis://${proxy.host}:${proxy.port}`)];
    await untilDelivered(here, there);
    expect(proxy.muteMarked()).toBe(1);
    await here.ports.broadcast.publish([typing('unheard')]);
    await expect.poll(() => there.interruptions, { timeout: SILENCE_MS_MAX + RECOVERY_MS_MAX }).toBe(1);
    expect(there.heard).not.toContain('unheard');
    await untilDelivered(here, there);
    expect(here.interruptions).toBe(0);
  });

  it('is told of it when another process could not publish', async () => {
    const proxy = await TcpProxy.start(targetOf(redis.address));
    closing.push(proxy);
    const [here, there] = [await aProcess(`redis://${proxy.host}:${proxy.port}`), await aProcess()];
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => here.ports.isUp).toBe(false);
    await here.ports.broadcast.publish([typing('unheard')]);
    expect(there.interruptions).toBe(0);
    await proxy.heal();
    await expect.poll(() => there.interruptions, { timeout: RECOVERY_MS_MAX }).toBe(1);
    expect(there.heard).toEqual([]);
  });

  it('is not disturbed by a flush', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    await here.ports['line'].command(['FLUSHALL']);
    await here.ports.broadcast.publish([typing('1')]);
    await expect.poll(() => there.heard).toEqual(['1']);
    expect([here.interruptions, there.interruptions]).toEqual([0, 0]);
  });
});

describe('what comes over Redis', () => {
  // Redis answers a second command only when it has written to the subscribers what the first one published.
  it('has left for all processes when its publication ends, where it goes to everybody', async () => {
    const here = await aProcess();
    const monitor = await monitored();
    await here.ports.broadcast.publish([{ type: 'blocks-changed', blockerId: 'ada', blockedId: 'ben' }]);
    await here.ports.broadcast.publish([typing('afterwards')]);
    const from = (word: string): string | undefined =>
      monitor
        .commands()
        .find((line) => line.includes(word))
        ?.match(/ \[\d+ (\S+)\] /)?.[1];
    await expect.poll(() => from('afterwards')).toBeDefined();
    const own = monitor.commands().filter((line) => line.includes(` ${from('blocks-changed')}] `));
    expect(own.map((line) => /blocks-changed|PING|afterwards/.exec(line)?.[0])).toEqual([
      'blocks-changed',
      'PING',
      'afterwards',
    ]);
  });

  it('may be as deep as it likes, in a message', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    const name = `${'['.repeat(3_000)}${']'.repeat(3_000)}`;
    const arrived: LiveEvent[] = [];
    there.ports.broadcast.subscribe((events) => arrived.push(...events));
    const event: LiveEvent = { type: 'conversation-renamed', conversationId: 'a', membershipEpoch: 1, rev: 2, name };
    await here.ports.broadcast.publish([event]);
    await expect.poll(() => arrived).toEqual([event]);
  });

  it('is left alone when it is not ours', async () => {
    const [here, there] = [await aProcess(), await aProcess()];
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const wrap = (data: string): string =>
      `{"uid":"x","nsp":"/","type":3,"data":{"opts":{"rooms":["conversation:a"]},"packet":{"type":2,"data":${data}}}}`;
    const garbage = ['', 'x', '{', 'null', '[]', '{"data":null}', deep, wrap(deep), wrap('[1,2,3,4]')];
    const cargo = JSON.stringify(['events', 'x', '', '{broken']);
    for (const text of [...garbage, wrap(cargo)]) {
      for (const channel of [`${prefix}live#/#conversation:a#`, `${prefix}live#/#`]) {
        await here.ports['line'].publish(channel, text);
      }
      await here.ports['line'].publish(`${prefix}replies#${there.ports.replies.processId}`, text);
    }
    await untilDelivered(here, there);
    expect(there.interruptions).toBe(0);
    expect(there.troubles.length).toBeGreaterThan(10);
  });
});
