/** At most `limit` units of cost in any `windowMs`. */
export interface RateLimit {
  limit: number;
  windowMs: number;
}

export interface RateDecision {
  allowed: boolean;
  /** When the same request may succeed at the earliest; 0 when it was allowed. */
  retryAfterMs: number;
}

type MaybePromise<T> = T | Promise<T>;

/**
 * Counts what a key has used. An adapter in this process answers at once, one over the network with a promise: `await`
 * takes both, and a caller that must not lose its turn may ask whether it got a promise.
 *
 * Guarantee: no more than `limit` is allowed in any `windowMs` that a key's count is remembered for; the number of keys
 * remembered is bounded, the longest unused go first. A key is always used with the same limit.
 */
export abstract class RateLimiter {
  /** Uses `cost` of the key's limit, or refuses and uses nothing. */
  abstract take(key: string, cost: number, rate: RateLimit): MaybePromise<RateDecision>;
  /** What `take` would answer, without using anything. */
  abstract peek(key: string, cost: number, rate: RateLimit): MaybePromise<RateDecision>;
  /** Takes back what a `take` just used, because what was counted did not happen (a login that succeeded). */
  abstract giveBack(key: string, cost: number, rate: RateLimit): MaybePromise<void>;
}

const ALLOWED: RateDecision = { allowed: true, retryAfterMs: 0 };

/** RATE_LIMITS=off: everything is allowed. */
export class UnlimitedRateLimiter extends RateLimiter {
  override take(): RateDecision {
    return ALLOWED;
  }
  override peek(): RateDecision {
    return ALLOWED;
  }
  override giveBack(): void {}
}
