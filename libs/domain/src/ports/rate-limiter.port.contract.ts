import { describe, expect, it } from 'vitest';
import type { RateLimiter } from './rate-limiter.port.js';

export interface LimiterUnderTest {
  limiter: RateLimiter;
  /** Lets so much time pass. */
  pass: (ms: number) => void | Promise<void>;
}

const rate = { limit: 5, windowMs: 1_000 };

/** What every limiter keeps to. */
export function rateLimiterContract(name: string, make: () => LimiterUnderTest): void {
  describe(`rate limiter: ${name}`, () => {
    async function use(limiter: RateLimiter, key: string, times: number, cost = 1): Promise<boolean[]> {
      const answers: boolean[] = [];
      for (let time = 0; time < times; time++) answers.push((await limiter.take(key, cost, rate)).allowed);
      return answers;
    }

    it('allows the limit and refuses the next one, and says when to come back', async () => {
      const { limiter, pass } = make();
      expect(await use(limiter, 'a', 6)).toEqual([true, true, true, true, true, false]);
      const { retryAfterMs } = await limiter.take('a', 1, rate);
      expect(retryAfterMs).toBeGreaterThan(900);
      expect(retryAfterMs).toBeLessThanOrEqual(1_000);
      await pass(retryAfterMs);
      expect((await limiter.take('a', 1, rate)).allowed).toBe(true);
    });

    it('never allows more than the limit in any window, however the attempts are spread', async () => {
      for (const stepMs of [1, 7, 61, 199, 333]) {
        const { limiter, pass } = make();
        const allowedAt: number[] = [];
        for (let now = 0; now < 5_000; now += stepMs) {
          if ((await limiter.take('a', 1, rate)).allowed) allowedAt.push(now);
          await pass(stepMs);
        }
        for (let i = rate.limit; i < allowedAt.length; i++) {
          expect(allowedAt[i]! - allowedAt[i - rate.limit]!).toBeGreaterThanOrEqual(rate.windowMs);
        }
        expect(allowedAt.length).toBeGreaterThan(Math.min(5_000 / stepMs, 25) * 0.8);
      }
    });

    it('does not forget the end of a burst with its beginning', async () => {
      const { limiter, pass } = make();
      await use(limiter, 'a', 1);
      await pass(60);
      await use(limiter, 'a', 4);
      await pass(941);
      expect((await limiter.take('a', 2, rate)).allowed).toBe(false);
      await pass(60);
      expect((await limiter.take('a', 5, rate)).allowed).toBe(true);
    });

    it('counts each key by itself', async () => {
      const { limiter } = make();
      await use(limiter, 'a', 6);
      expect((await limiter.take('b', 1, rate)).allowed).toBe(true);
    });

    it('uses nothing for a refusal', async () => {
      const { limiter, pass } = make();
      await use(limiter, 'a', 5);
      await pass(900);
      await use(limiter, 'a', 50);
      await pass(200);
      expect((await limiter.take('a', 5, rate)).allowed).toBe(true);
    });

    it('takes costs other than one, and never one above the limit', async () => {
      const { limiter } = make();
      expect(await use(limiter, 'a', 3, 2)).toEqual([true, true, false]);
      expect((await limiter.take('a', 1, rate)).allowed).toBe(true);
      expect(await limiter.take('b', 6, rate)).toEqual({ allowed: false, retryAfterMs: 1_000 });
    });

    it('peeks without using', async () => {
      const { limiter } = make();
      await use(limiter, 'a', 4);
      for (let time = 0; time < 3; time++) expect((await limiter.peek('a', 1, rate)).allowed).toBe(true);
      expect((await limiter.peek('a', 2, rate)).allowed).toBe(false);
      expect(await use(limiter, 'a', 2)).toEqual([true, false]);
      expect((await limiter.peek('a', 1, rate)).retryAfterMs).toBeGreaterThan(0);
      expect((await limiter.peek('never used', 1, rate)).allowed).toBe(true);
    });

    it('takes back what was given back, and no more', async () => {
      const { limiter } = make();
      await use(limiter, 'a', 5);
      await limiter.giveBack('a', 2, rate);
      expect(await use(limiter, 'a', 3)).toEqual([true, true, false]);
      await limiter.giveBack('never used', 3, rate);
      expect(await use(limiter, 'never used', 6)).toEqual([true, true, true, true, true, false]);
    });
  });
}
