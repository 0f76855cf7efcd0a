import { type RateDecision, RateLimiter, type RateLimit } from '@parley/domain';
import { LRUCache } from 'lru-cache';

/** A window is counted in at most this many steps and one, so a key costs the same however high its limit is. */
const STEPS_PER_WINDOW = 16;
const KEYS_MAX = 100_000;

interface Step {
  startMs: number;
  /** When the latest of its cost was used: all of it is remembered until that leaves the window. */
  lastMs: number;
  used: number;
}

interface Usage {
  steps: Step[];
  used: number;
}

const ALLOWED: RateDecision = { allowed: true, retryAfterMs: 0 };

/**
 * Sliding window in this process. Never allows more than the limit in any window; what was used within a sixteenth of a
 * window is forgotten together, so a steady caller may get up to that much less.
 */
export class MemoryRateLimiter extends RateLimiter {
  private readonly usages: LRUCache<string, Usage>;

  constructor(
    private readonly nowMs: () => number = () => performance.now(),
    keysMax: number = KEYS_MAX,
  ) {
    super();
    this.usages = new LRUCache({ max: keysMax });
  }

  get keys(): number {
    return this.usages.size;
  }

  override take(key: string, cost: number, rate: RateLimit): RateDecision {
    const now = this.nowMs();
    let usage = this.usages.get(key);
    if (usage) {
      forget(usage, now - rate.windowMs);
    } else {
      usage = { steps: [], used: 0 };
      this.usages.set(key, usage);
    }
    if (usage.used + cost > rate.limit) return refusal(usage, cost, rate, now);
    const newest = usage.steps.at(-1);
    if (newest && now - newest.startMs < rate.windowMs / STEPS_PER_WINDOW) {
      newest.used += cost;
      newest.lastMs = now;
    } else {
      usage.steps.push({ startMs: now, lastMs: now, used: cost });
    }
    usage.used += cost;
    return ALLOWED;
  }

  override peek(key: string, cost: number, rate: RateLimit): RateDecision {
    const now = this.nowMs();
    const usage = this.usages.peek(key);
    if (usage) forget(usage, now - rate.windowMs);
    if ((usage?.used ?? 0) + cost <= rate.limit) return ALLOWED;
    return refusal(usage ?? { steps: [], used: 0 }, cost, rate, now);
  }

  override giveBack(key: string, cost: number): void {
    const usage = this.usages.peek(key);
    let left = cost;
    // From the newest: what is given back was just taken.
    while (usage && left > 0) {
      const newest = usage.steps.at(-1);
      if (!newest) return;
      const returned = Math.min(left, newest.used);
      newest.used -= returned;
      usage.used -= returned;
      left -= returned;
      if (newest.used === 0) usage.steps.pop();
    }
  }
}

/** Drops the steps that ended at or before `until`. */
function forget(usage: Usage, until: number): void {
  let gone = 0;
  for (const step of usage.steps) {
    if (step.lastMs > until) break;
    usage.used -= step.used;
    gone++;
  }
  if (gone > 0) usage.steps.splice(0, gone);
}

function refusal(usage: Usage, cost: number, rate: RateLimit, now: number): RateDecision {
  let used = usage.used;
  for (const step of usage.steps) {
    used -= step.used;
    if (used + cost <= rate.limit) {
      return { allowed: false, retryAfterMs: Math.max(1, Math.ceil(step.lastMs + rate.windowMs - now)) };
    }
  }
  // More than the limit at once never fits; say the longest that a wait can be.
  return { allowed: false, retryAfterMs: rate.windowMs };
}
