import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEngines, type EngineNode, type StartedEngines } from '../../../../scripts/engines/index.mjs';
import { targetOf, TcpProxy } from '../../../../test/faults/tcp-proxy.js';
import { sessionRegistryContract } from '../../../domain/src/ports/session-registry.port.contract.js';
import { RedisLine } from './redis-line.js';
import { RedisSessionRegistry } from './redis-session-registry.js';

const closing: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const each of closing.splice(0).toReversed()) await each.close();
});
async function openLine(url = process.env['REDIS_URL'] ?? '', prefix = `t-${randomUUID()}:`): Promise<RedisLine> {
  const line = new RedisLine({ url, prefix, onTrouble: () => {} });
  await line.open(5_000);
  closing.push(line);
  return line;
}

sessionRegistryContract('Redis', async () => {
  let now = 1_700_000_000_000;
  const here = await openLine();
  const there = await openLine(undefined, here.prefix);
  const nowMs = (): number => now;
  return {
    here: new RedisSessionRegistry(here, { nowMs }),
    there: new RedisSessionRegistry(there, { nowMs }),
    pass: (ms) => void (now += ms),
    close: () => Promise.resolve(),
  };
});

const reportOf = (userId: string, ttlMs = 60_000) =>
  ({ userId, deviceId: 'd', gatewayId: 'g', status: 'online', connected: true, connectedAt: 1, ttlMs }) as const;

describe('sessions in Redis', () => {
  it('go by the time of Redis, and leave no key behind', async () => {
    const line = await openLine();
    const registry = new RedisSessionRegistry(line);
    const ada = randomUUID();
    await registry.put([reportOf(ada, 250)]);
    expect((await registry.ofUsers([ada]))?.get(ada)?.[0]?.expiresInMs).toBeLessThanOrEqual(250);
    const exists = (): Promise<unknown> => line.command(['EXISTS', `${line.prefix}sessions:${ada}`]);
    expect(await exists()).toBe(1);
    await expect.poll(exists).toBe(0);
    expect(await registry.ofUsers([ada])).toEqual(new Map());
  });

  it('last as long as the longest of a user, not as the latest that was reported', async () => {
    const line = await openLine();
    const registry = new RedisSessionRegistry(line);
    const ada = randomUUID();
    await registry.put([reportOf(ada), { ...reportOf(ada, 100), deviceId: 'short' }]);
    await expect.poll(async () => (await registry.ofUsers([ada]))?.get(ada)?.length).toBe(1);
    expect(await line.command(['PTTL', `${line.prefix}sessions:${ada}`])).toBeGreaterThan(50_000);
  });

  it('are taken again after Redis has forgotten its scripts', async () => {
    const line = await openLine();
    const registry = new RedisSessionRegistry(line);
    const users = Array.from({ length: 50 }, () => randomUUID());
    await line.command(['SCRIPT', 'FLUSH']);
    expect(await registry.put(users.map((userId) => reportOf(userId)))).toBe(true);
    await line.command(['SCRIPT', 'FLUSH']);
    expect((await registry.ofUsers(users))?.size).toBe(users.length);
  });
});

describe('sessions while Redis is away', () => {
  let engines: StartedEngines;
  let redis: EngineNode;
  beforeAll(async () => {
    engines = await startEngines(['redis']);
    redis = engines.nodes[0]!;
  });
  afterAll(() => engines.stop());

  it('are unknown to everybody in bounded time, and can be reported again when it is back, empty', async () => {
    const line = await openLine(redis.address);
    const registry = new RedisSessionRegistry(line);
    const ada = randomUUID();
    let returns = 0;
    const stop = registry.onReturn(() => returns++);
    await registry.put([reportOf(ada)]);
    await redis.kill();
    await expect.poll(() => registry.ofUsers([ada])).toBeNull();
    expect(await registry.ofUsers([])).toBeNull();
    expect(await registry.put([reportOf(ada)])).toBe(false);
    await redis.start();
    await expect.poll(() => returns, { timeout: 10_000 }).toBe(1);
    stop();
    expect(await registry.ofUsers([ada])).toEqual(new Map());
    expect(await registry.put([reportOf(ada)])).toBe(true);
    expect((await registry.ofUsers([ada]))?.size).toBe(1);
    await redis.kill();
    await redis.start();
    await expect.poll(() => registry.ofUsers([ada]), { timeout: 10_000 }).toEqual(new Map());
    expect(returns).toBe(1);
  });

  it('are unknown while Redis hangs, and nobody waits for it longer than a bound', async () => {
    const line = await openLine(redis.address);
    const registry = new RedisSessionRegistry(line);
    const users = Array.from({ length: 5_000 }, () => randomUUID());
    redis.pause();
    const began = performance.now();
    expect(await registry.ofUsers(users)).toBeNull();
    expect(await registry.put(users.map((userId) => reportOf(userId)))).toBe(false);
    expect(performance.now() - began).toBeLessThan(4_000);
    redis.resume();
  });

  it('are unknown when the connection is cut, and known again when it is mended', async () => {
    const proxy = await TcpProxy.start(targetOf(redis.address));
    closing.push(proxy);
    const registry = new RedisSessionRegistry(await openLine(`redis://${proxy.host}:${proxy.port}`));
    const ada = randomUUID();
    await registry.put([reportOf(ada)]);
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => registry.ofUsers([ada])).toBeNull();
    await proxy.heal();
    await expect.poll(async () => (await registry.ofUsers([ada]))?.has(ada), { timeout: 10_000 }).toBe(true);
  });
});
