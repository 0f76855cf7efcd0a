import type { PushResult } from '@parley/domain';
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  handleWhenResult,
  type IBackoff,
} from 'cockatiel';

const FAILURES_MAX = 5;
const REST_MS_MAX = 60_000;

export interface BreakerOptions {
  /** The first rest; doubled for each further one in a row, up to `restMsMax`. */
  restMs?: number;
  /** A minute, if not given. */
  restMsMax?: number;
  failuresMax?: number;
}

/** Leaves a service alone after failures in a row, then asks it once whether it works again. */
export class ProviderBreaker {
  private readonly policy: CircuitBreakerPolicy;
  private restUntil = 0;

  constructor({ restMs = 1_000, restMsMax = REST_MS_MAX, failuresMax = FAILURES_MAX }: BreakerOptions = {}) {
    let current: IBackoff<{ attempt: number }> | undefined;
    const rest = (attempt: number): IBackoff<{ attempt: number }> => {
      const full = Math.min(restMs * 2 ** Math.min(attempt - 1, 20), restMsMax);
      const duration = Math.round(full * (0.75 + Math.random() / 4));
      return { duration, next: (context) => (current = rest(context.attempt)) };
    };
    this.policy = circuitBreaker(
      handleWhenResult((result) => (result as PushResult).is === 'failed'),
      {
        breaker: new ConsecutiveBreaker(failuresMax),
        halfOpenAfter: { next: (context) => (current = rest(context.attempt)) },
      },
    );
    this.policy.onBreak(() => (this.restUntil = Date.now() + (current?.duration ?? restMs)));
    this.policy.onReset(() => (this.restUntil = 0));
  }

  /** Milliseconds for which it is left alone still. */
  restMs(): number {
    return Math.max(0, this.restUntil - Date.now());
  }

  /** Never rejects, provided that `ask` does not. */
  async run(ask: () => Promise<PushResult>): Promise<PushResult> {
    const retryAfterMs = this.restMs();
    if (retryAfterMs > 0) return { is: 'failed', reason: 'is left alone after failures', retryAfterMs };
    try {
      return await this.policy.execute(ask);
    } catch {
      return { is: 'failed', reason: 'is left alone after failures', retryAfterMs: this.restMs() };
    }
  }
}
