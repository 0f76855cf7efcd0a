import { randomUUID } from 'node:crypto';
import { type RateDecision, RateLimiter } from '@parley/domain';
import { afterEach, describe, expect, it } from 'vitest';
import { broadcastContract } from '../../../domain/src/ports/broadcast.port.contract.js';
import { rateLimiterContract } from '../../../domain/src/ports/rate-limiter.port.contract.js';
import { repliesContract } from '../../../domain/src/ports/replies.port.contract.js';
import { MemoryRateLimiter } from '../memory/memory-rate-limiter.js';
import { RedisLine } from './redis-line.js';
import { RedisPorts } from './redis-ports.js';
import { RedisRateLimiter } from './redis-rate-limiter.js';

const url = process.env['REDIS_URL'] ?? '';
const troubles: unknown[] = [];
const onTrouble = (what: string, error: unknown): void => void troubles.push([what, error]);
const openTwo = async (): Promise<[RedisPorts, RedisPorts]> => {
  const options = { url, prefix: `t-${randomUUID()}:`, onTrouble };
  return Promise.all([RedisPorts.open(options), RedisPorts.open(options)]);
};
const closing = (...ports: RedisPorts[]) => ({
  close: async () => void (await Promise.all(ports.map((one) => one.close()))),
});
afterEach(() =>
  expect(
    troubles
      .splice(0)
      .map(String)
      .filter((text) => !text.includes('a listener fails')),
  ).toEqual([]),
);

broadcastContract('Redis', async () => {
  const [here, there] = await openTwo();
  return { here: here.broadcast, there: there.broadcast, ...closing(here, there) };
});

repliesContract('Redis', async () => {
  const [waiting, answering] = await openTwo();
  return { waiting: waiting.replies, answering: answering.replies, ...closing(waiting, answering) };
});

const lines: RedisLine[] = [];
afterEach(async () => {
  for (const line of lines.splice(0)) await line.close();
});
function newLine(): RedisLine {
  const line = new RedisLine({ url, prefix: `t-${randomUUID()}:`, onTrouble });
  lines.push(line);
  return line;
}

/** Leaves it all to Redis. */
class Unlimited extends RateLimiter {
  taken = 0;

  override take(_key: string, cost: number): RateDecision {
    this.taken += cost;
    return this.peek();
  }

  override peek(): RateDecision {
    return { allowed: true, retryAfterMs: 0 };
  }

  override giveBack(_key: string, cost: number): void {
    this.taken -= cost;
  }
}

rateLimiterContract('Redis', () => {
  const line = newLine();
  const opening = line.open(5_000);
  let now = 1_000;
  const limiter = new RedisRateLimiter(line, { own: new Unlimited(), nowMs: () => now });
  const run = limiter['ask'].bind(limiter);
  // The contract begins at once; the process' own count must not stand in for Redis meanwhile.
  limiter['ask'] = async (...question) => {
    await opening;
    const answer = await run(...question);
    expect(answer).not.toBeNull();
    return answer;
  };
  return { limiter, pass: (ms) => void (now += ms) };
});

describe('the rate limiter in Redis', () => {
  const rate = { limit: 3, windowMs: 60_000 };

  it('counts for all processes together, by the time of Redis', async () => {
    const line = newLine();
    await line.open(5_000);
    const owns = [1, 2, 3].map(() => new Unlimited());
    const limiters = owns.map((own) => new RedisRateLimiter(line, { own }));
    const decisions = await Promise.all(Array.from({ length: 9 }, (_, i) => limiters[i % 3]!.take('a', 1, rate)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(3);
    expect(owns.reduce((sum, { taken }) => sum + taken, 0)).toBe(3);
  });

  it('gives nobody the limit anew in a process when Redis is emptied, hangs or is gone', async () => {
    const line = newLine();
    await line.open(5_000);
    const limiter = new RedisRateLimiter(line, { own: new MemoryRateLimiter() });
    await limiter.take('a', 1, rate);
    await limiter.take('a', 2, rate);
    expect((await limiter.take('a', 1, rate)).allowed).toBe(false);
    await line.command(['DEL', `${line.prefix}rate:a`]);
    expect((await limiter.take('a', 1, rate)).allowed).toBe(false);
    expect((await limiter.peek('a', 1, rate)).allowed).toBe(false);
    await limiter.giveBack('a', 1, rate);
    limiter['run'] = () => new Promise(() => {});
    expect((await limiter.take('a', 1, rate)).allowed).toBe(true);
    expect((await limiter.take('a', 1, rate)).allowed).toBe(false);
    await line.close();
    expect((await limiter.take('a', 1, rate)).allowed).toBe(false);
  });

  it('leaves nothing behind when the window has passed', async () => {
    const line = newLine();
    await line.open(5_000);
    const limiter = new RedisRateLimiter(line, { own: new MemoryRateLimiter() });
    await limiter.take('a', 1, { limit: 3, windowMs: 150 });
    const exists = (): Promise<unknown> => line.command(['EXISTS', `${line.prefix}rate:a`]);
    expect(await exists()).toBe(1);
    await expect.poll(exists).toBe(0);
  });

  it('knows its script again after Redis has forgotten it', async () => {
    const line = newLine();
    await line.open(5_000);
    const limiter = new RedisRateLimiter(line, { own: new Unlimited() });
    await limiter.take('a', 1, rate);
    await line.command(['SCRIPT', 'FLUSH']);
    for (let i = 0; i < 5; i++) await limiter.take('a', 1, rate);
    expect((await limiter.peek('a', 1, rate)).allowed).toBe(false);
  });
});
