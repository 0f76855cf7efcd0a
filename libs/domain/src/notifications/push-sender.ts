import type { RateLimit, RateLimiter } from '../ports/rate-limiter.port.js';
import { retryPauseMs } from '../event-handlers/durable-event-handler.js';
import { withDeadline } from '../timing/deadline.js';
import type { PushMetrics } from './push-metrics.port.js';
import { PUSH_TTL_SECONDS, pushNotificationOf, type PushTask } from './push-notification.js';
import type { PushOutbox, TaskEnd } from './push-outbox.port.js';
import type { PushProvider } from './push-provider.port.js';

const CLAIM_MAX = 16;
const IDLE_MS = 500;
const TROUBLE_PAUSE_MS = 2_000;
/** Before the second attempt; doubled for each further one, up to five minutes. */
const RETRY_PAUSE_MS = 1_000;
/** Requests to providers may take so long to end when the process stops. */
const STOP_GRACE_MS = 2_000;
/** A breaker that opened asks every task to come back a little after it. */
const REST_SPREAD_MS = 1_000;

export interface SenderParts {
  outbox: PushOutbox;
  providers: readonly PushProvider[];
  limiter: RateLimiter;
  metrics: PushMetrics;
}

export interface SenderOptions {
  /** Notifications of one user, on all its devices together. */
  perUser: RateLimit;
  onTrouble: (what: string, error: unknown) => void;
  idleMs?: number;
  retryPauseMs?: number;
}

/**
 * Takes tasks from the outbox to their providers, each provider on its own, so that one that hangs delays nothing of the
 * others. A task is tried until it is a day old. Never rejects or ends by itself.
 */
export class PushSender {
  private readonly loops: Promise<void>[] = [];
  private readonly inFlight = new Map<PushProvider, Set<Promise<void>>>();
  private readonly troubled = new Set<string>();
  private stopped = false;
  private readonly pauses = new Set<() => void>();

  constructor(
    private readonly parts: SenderParts,
    private readonly options: SenderOptions,
  ) {}

  start(): void {
    for (const provider of this.parts.providers) {
      this.inFlight.set(provider, new Set());
      this.loops.push(this.run(provider));
    }
  }

  /** Takes nothing more, waits a little for what is under way, and leaves what is not done then to the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const end of this.pauses) end();
    // A loop whose places are all taken ends with the first of its tasks.
    const under = Promise.all(this.loops).then(() =>
      Promise.all([...this.inFlight.values()].flatMap((all) => [...all])),
    );
    await withDeadline(under, STOP_GRACE_MS, () => {});
    await Promise.all(this.parts.providers.map((provider) => provider.close()));
    await under;
  }

  private async run(provider: PushProvider): Promise<void> {
    while (!this.stopped) {
      try {
        const taken = await this.turn(provider);
        if (taken === 0) await this.pause(this.options.idleMs ?? IDLE_MS);
      } catch (error) {
        this.options.onTrouble(`Push tasks for ${provider.name} cannot be read`, error);
        await this.pause(TROUBLE_PAUSE_MS);
      }
    }
  }

  private async turn(provider: PushProvider): Promise<number> {
    const { outbox, metrics } = this.parts;
    const under = this.inFlight.get(provider)!;
    const rest = provider.restMs();
    metrics.pushInFlight(provider.name, under.size, rest > 0);
    if (rest > 0) return 0;
    const free = provider.inFlightMax - under.size;
    if (free <= 0) {
      await Promise.race(under);
      return 1;
    }
    const tasks = await outbox.claim(provider.name, Math.min(free, CLAIM_MAX));
    for (const task of tasks) {
      const work: Promise<void> = this.finish(provider, task).finally(() => under.delete(work));
      under.add(work);
    }
    return tasks.length;
  }

  private async finish(provider: PushProvider, task: PushTask): Promise<void> {
    try {
      await this.parts.outbox.finish(task, await this.attempt(provider, task));
    } catch (error) {
      // It is taken again when its claim has run out.
      this.options.onTrouble('A push task could not be finished', error);
    }
  }

  private async attempt(provider: PushProvider, task: PushTask): Promise<TaskEnd> {
    const { metrics, limiter } = this.parts;
    const { name } = provider;
    if (task.isSuperfluous || task.ageMs > PUSH_TTL_SECONDS * 1_000) {
      metrics.pushTask(name, 'dropped');
      return { is: 'dropped' };
    }
    // Before the limit of the user, for which it would count although nothing is sent.
    const busyMs = provider.busyMs(task.pushToken);
    if (busyMs > 0) return { is: 'later', inMs: Math.round(busyMs) };
    if (task.kind === 'message') {
      const { allowed, retryAfterMs } = await limiter.take(`push:${task.userId}`, 1, this.options.perUser);
      if (!allowed) {
        metrics.pushTask(name, 'rate_limited');
        return { is: 'again', inMs: Math.max(retryAfterMs, 1_000) };
      }
    }
    const result = await provider.send(pushNotificationOf(task), task.pushToken);
    metrics.pushTask(name, result.is);
    if (result.is === 'sent') this.troubled.delete(name);
    if (result.is === 'sent' || result.is === 'gone') return { is: result.is };
    this.report(`${name} ${result.is === 'refused' ? 'refuses a notification' : 'fails'}: ${result.reason}`, name);
    if (result.is === 'refused') return { is: 'dropped' };
    const pause = retryPauseMs(this.options.retryPauseMs ?? RETRY_PAUSE_MS, task.attempt);
    const rest = provider.restMs();
    const spread = rest > 0 ? rest + Math.random() * REST_SPREAD_MS : 0;
    return { is: 'again', inMs: Math.round(Math.max(pause, result.retryAfterMs ?? 0, spread)) };
  }

  /** Once, until it works again. */
  private report(what: string, provider: string): void {
    if (this.troubled.has(provider)) return;
    this.troubled.add(provider);
    this.options.onTrouble(`Push by ${what}`, null);
  }

  private pause(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.pauses.add(end);
    });
  }
}
