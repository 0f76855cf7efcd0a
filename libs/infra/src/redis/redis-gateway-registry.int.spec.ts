import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEngines, type EngineNode, type StartedEngines } from '../../../../scripts/engines/index.mjs';
import { gatewayRegistryContract } from '../../../domain/src/ports/gateway-registry.port.contract.js';
import { GATEWAYS_WAIT_MS_MAX, RedisGatewayRegistry } from './redis-gateway-registry.js';
import { RedisLine } from './redis-line.js';

const closing: RedisLine[] = [];
afterEach(async () => {
  for (const line of closing.splice(0)) await line.close();
});
async function openLine(url = process.env['REDIS_URL'] ?? '', prefix = `t-${randomUUID()}:`): Promise<RedisLine> {
  const line = new RedisLine({ url, prefix, onTrouble: () => {} });
  closing.push(line);
  await line.open(5_000);
  return line;
}

gatewayRegistryContract('Redis', async () => {
  let now = 1_700_000_000_000;
  const here = await openLine();
  const there = await openLine(undefined, here.prefix);
  const nowMs = (): number => now;
  return {
    here: new RedisGatewayRegistry(here, { nowMs }),
    there: new RedisGatewayRegistry(there, { nowMs }),
    pass: (ms) => void (now += ms),
  };
});

const gateway = { gatewayId: 'g1', url: 'http://g1.example', region: null, connections: 1, draining: false };

describe('gateways in Redis', () => {
  it('leave out what is not understood, and keep no more than their bound', async () => {
    const line = await openLine();
    const registry = new RedisGatewayRegistry(line);
    const far = `${Date.now() + 60_000}`;
    await registry.announce(gateway);
    for (const [i, text] of ['', 'null', '{', '{"url":7}', '[]'].entries()) {
      await line.command(['HSET', `${line.prefix}gateways`, `odd-${i}`, `${far} ${text}`]);
    }
    expect(await registry.list()).toEqual([gateway]);
    const many = Array.from({ length: 1_000 }, (_, i) => [`many-${i}`, `${far} {}`]).flat();
    await line.command(['HSET', `${line.prefix}gateways`, ...many]);
    expect(await registry.announce({ ...gateway, gatewayId: 'g2' })).toBe(false);
    expect(await registry.announce({ ...gateway, connections: 2 })).toBe(true);
  });

  it('leave no key behind', async () => {
    const line = await openLine();
    const registry = new RedisGatewayRegistry(line);
    await registry.announce(gateway);
    const lasts = Number(await line.command(['PTTL', `${line.prefix}gateways`]));
    expect(lasts).toBeGreaterThan(0);
    expect(lasts).toBeLessThanOrEqual(10_000);
    await registry.withdraw('g1');
    expect(await line.command(['EXISTS', `${line.prefix}gateways`])).toBe(0);
  });
});

describe('gateways while Redis is away', () => {
  let engines: StartedEngines;
  let redis: EngineNode;
  beforeAll(async () => {
    engines = await startEngines(['redis']);
    redis = engines.nodes[0]!;
  });
  afterAll(() => engines.stop());

  it('are unknown in bounded time, and known again with the next announcement', async () => {
    const registry = new RedisGatewayRegistry(await openLine(redis.address));
    expect(await registry.announce(gateway)).toBe(true);
    redis.pause();
    const began = performance.now();
    expect(await registry.list()).toBeNull();
    expect(await registry.announce(gateway)).toBe(false);
    expect(await registry.withdraw('g1')).toBe(false);
    expect(performance.now() - began).toBeLessThan(4 * GATEWAYS_WAIT_MS_MAX);
    await redis.kill();
    expect(await registry.list()).toBeNull();
    await redis.start();
    await expect.poll(() => registry.list(), { timeout: 10_000 }).toEqual([]);
    expect(await registry.announce(gateway)).toBe(true);
    expect(await registry.list()).toEqual([gateway]);
  });
});
