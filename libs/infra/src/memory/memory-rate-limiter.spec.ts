import { UnlimitedRateLimiter } from '@parley/domain';
import { describe, expect, it } from 'vitest';
import { rateLimiterContract } from '../../../domain/src/ports/rate-limiter.port.contract.js';
import { MemoryRateLimiter } from './memory-rate-limiter.js';

rateLimiterContract('in memory', () => {
  let now = 1_000;
  return { limiter: new MemoryRateLimiter(() => now), pass: (ms) => void (now += ms) };
});

describe('memory rate limiter', () => {
  it('remembers a bounded number of keys, the latest used', () => {
    const rate = { limit: 1, windowMs: 1_000 };
    const limiter = new MemoryRateLimiter(() => 0, 100);
    for (let key = 0; key < 1_000; key++) limiter.take(`key ${key}`, 1, rate);
    expect(limiter.keys).toBe(100);
    expect(limiter.take('key 999', 1, rate).allowed).toBe(false);
    expect(limiter.take('key 0', 1, rate).allowed).toBe(true);
  });

  it('frees a burst when its window ends, not a step later', () => {
    let now = 0;
    const limiter = new MemoryRateLimiter(() => now);
    const rate = { limit: 30, windowMs: 10_000 };
    for (let send = 0; send < 30; send++) {
      limiter.take('a', 1, rate);
      now += 5;
    }
    now = 10_145;
    expect(limiter.take('a', 30, rate).allowed).toBe(true);
  });

  it('answers 100,000 takes in less than 5 µs each', () => {
    const limiter = new MemoryRateLimiter();
    const rate = { limit: 1_000_000, windowMs: 10_000 };
    const began = performance.now();
    for (let take = 0; take < 100_000; take++) limiter.take(`user ${take % 500}`, 1, rate);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('unlimited rate limiter', () => {
  it('allows everything', () => {
    const limiter = new UnlimitedRateLimiter();
    for (let time = 0; time < 1_000; time++) expect(limiter.take().allowed && limiter.peek().allowed).toBe(true);
  });
});
