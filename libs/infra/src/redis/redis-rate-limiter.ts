import { type RateDecision, RateLimiter, type RateLimit, withDeadline } from '@parley/domain';
import type { RedisLine } from './redis-line.js';
import { SLIDING_WINDOW } from './sliding-window.js';

/** A caller waits for Redis at most so long; then this process counts by itself. */
export const REDIS_WAIT_MS_MAX = 250;
/** After a failure Redis is not asked for so long. */
const WITHOUT_REDIS_MS = 1_000;

type Operation = 'take' | 'peek' | 'give-back';

export interface RedisRateLimiterOptions {
  /** Counts what is allowed in this process, and alone decides while Redis does not answer. */
  own: RateLimiter;
  /** Milliseconds; Redis' own time if not given. Tests only. */
  nowMs?: () => number;
}

/**
 * Sliding window in Redis, for all processes together. What nobody uses any more goes with the end of its window, so the
 * number of keys is bounded by what is used in one. Redis being away blocks nobody: each process then allows the limit by
 * itself. It has counted its own part all the time, so that an answer of Redis which comes late, or a Redis that was
 * emptied, gives nobody the limit anew in the same process.
 */
export class RedisRateLimiter extends RateLimiter {
  private askAgainAt = 0;

  constructor(
    private readonly line: RedisLine,
    private readonly options: RedisRateLimiterOptions,
  ) {
    super();
  }

  override async take(key: string, cost: number, rate: RateLimit): Promise<RateDecision> {
    const { own } = this.options;
    const here = await own.peek(key, cost, rate);
    // All processes together have used no less than this one.
    if (!here.allowed) return here;
    const everywhere = await this.ask('take', key, cost, rate);
    if (everywhere && !everywhere.allowed) return everywhere;
    const counted = await own.take(key, cost, rate);
    return everywhere ?? counted;
  }

  override async peek(key: string, cost: number, rate: RateLimit): Promise<RateDecision> {
    const here = await this.options.own.peek(key, cost, rate);
    return here.allowed ? ((await this.ask('peek', key, cost, rate)) ?? here) : here;
  }

  override async giveBack(key: string, cost: number, rate: RateLimit): Promise<void> {
    await this.options.own.giveBack(key, cost, rate);
    await this.ask('give-back', key, cost, rate);
  }

  /** Null when Redis does not say. */
  private async ask(operation: Operation, key: string, cost: number, rate: RateLimit): Promise<RateDecision | null> {
    if (!this.line.isUp || performance.now() < this.askAgainAt) return null;
    const now = this.options.nowMs?.() ?? '';
    const name = `${this.line.prefix}rate:${key}`;
    const words = ['1', name, operation, `${cost}`, `${rate.limit}`, `${rate.windowMs}`, `${now}`];
    try {
      const answer = await withDeadline(this.run(words), REDIS_WAIT_MS_MAX, () => null);
      if (answer) return { allowed: answer[0] === 1, retryAfterMs: answer[1] };
    } catch {
      // As for no answer at all. An outage is told by the line.
    }
    this.askAgainAt = performance.now() + WITHOUT_REDIS_MS;
    return null;
  }

  private async run(words: string[]): Promise<[number, number]> {
    const answer = this.line.command(['EVALSHA', SLIDING_WINDOW.sha1, ...words]).catch((error: unknown) => {
      // A Redis that was restarted or flushed does not know the script.
      if (!String(error).includes('NOSCRIPT')) throw error;
      return this.line.command(['EVAL', SLIDING_WINDOW.source, ...words]);
    });
    return (await answer) as [number, number];
  }
}
