import { Inject, Optional } from '@nestjs/common';
import { type MaybePromise, whenKnown } from '../journal/maybe-promise.js';
import { DomainLimits } from '../limits/domain-limits.js';
import { DoorMetrics, type RateLimitName } from '../ports/door-metrics.port.js';
import { type RateDecision, type RateLimit, RateLimiter, UnlimitedRateLimiter } from '../ports/rate-limiter.port.js';

interface Counter {
  name: RateLimitName;
  key: string;
  rate: RateLimit;
}

const ALLOWED: RateDecision = { allowed: true, retryAfterMs: 0 };

/**
 * Counts sends; and edits, deletions and reactions ("changes"), which the contract does not bound by themselves: a user
 * may make as many in a minute as it may send, a conversation sees as many in a second, and neither uses up the other's.
 */
export class SendRates {
  /** Nothing is counted: RATE_LIMITS=off. */
  readonly unlimited: boolean;

  constructor(
    @Inject(RateLimiter) private readonly limiter: RateLimiter,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
    @Optional() @Inject(DoorMetrics) private readonly metrics?: DoorMetrics,
  ) {
    this.unlimited = limiter instanceof UnlimitedRateLimiter;
  }

  takeSend(userId: string, conversationId: string): MaybePromise<RateDecision> {
    return this.unlimited ? ALLOWED : this.take(this.countersOfSend(userId, conversationId), 0);
  }

  /** A send that was counted turned out to be a repeated one. */
  async giveBackSend(userId: string, conversationId: string): Promise<void> {
    if (!this.unlimited) await this.giveBack(this.countersOfSend(userId, conversationId));
  }

  takeChange(userId: string, conversationId: string): MaybePromise<RateDecision> {
    if (this.unlimited) return ALLOWED;
    const { sendsPerUser, sendsPerConversation } = this.limits;
    const counters: Counter[] = [
      { name: 'sends_per_user', key: `change:${userId}`, rate: sendsPerUser },
      { name: 'sends_per_conversation', key: `change:${conversationId}`, rate: sendsPerConversation },
    ];
    return this.take(counters, 0);
  }

  private countersOfSend(userId: string, conversationId: string): Counter[] {
    const { sendsPerUserInConversation, sendsPerUser, sendsPerConversation } = this.limits;
    return [
      {
        name: 'sends_per_user_in_conversation',
        key: `send:${userId}:${conversationId}`,
        rate: sendsPerUserInConversation,
      },
      { name: 'sends_per_user', key: `send:${userId}`, rate: sendsPerUser },
      { name: 'sends_per_conversation', key: `send:${conversationId}`, rate: sendsPerConversation },
    ];
  }

  /** All of them or none: what was taken before one refuses is given back. */
  private take(counters: readonly Counter[], index: number): MaybePromise<RateDecision> {
    const counter = counters[index];
    if (!counter) return ALLOWED;
    return whenKnown(this.limiter.take(counter.key, 1, counter.rate), (decision) => {
      if (decision.allowed) return this.take(counters, index + 1);
      this.metrics?.rateLimited(counter.name);
      return index === 0 ? decision : this.giveBack(counters.slice(0, index)).then(() => decision);
    });
  }

  private async giveBack(counters: readonly Counter[]): Promise<void> {
    for (const { key, rate } of counters) await this.limiter.giveBack(key, 1, rate);
  }
}
