import { type RateDecision, RateLimiter, type RateLimit, withDeadline } from '@parley/domain';
import type { RedisLine } from './redis-line.js';
import { SLIDING_WINDOW } from './sliding-window.js';

/** A caller waits for Redis at most so long; then this process counts by itself. */
export const REDIS_WAIT_MS_MAX = 250;
/** After a failure Redis is not asked for so long. */
const WITHOUT_REDIS_MS = 1_000;

type Operation = 'take' | 'peek' | 'give-back';

export interface RedisRateLimiterOptions {
  /** Counts in this process while Redis is away: each process then allows the limit by itself. */
  fallback: RateLimiter;
  /** Milliseconds; Redis' own time if not given. Tests only. */
  nowMs?: () => number;
}

/**
 * Sliding window in Redis, for all processes together. What nobody uses any more goes with the end of its window, so the
 * number of keys is bounded by what is used in one. Redis being away blocks nobody.
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
    return (await this.ask('take', key, cost, rate)) ?? this.options.fallback.take(key, cost, rate);
  }

  override async peek(key: string, cost: number, rate: RateLimit): Promise<RateDecision> {
    return (await this.ask('peek', key, cost, rate)) ?? this.options.fallback.peek(key, cost, rate);
  }

  override async giveBack(key: string, cost: number, rate: RateLimit): Promise<void> {
    if (!(await this.ask('give-back', key, cost, rate))) await this.options.fallback.giveBack(key, cost, rate);
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
