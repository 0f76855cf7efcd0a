import type { EventStream } from '../ports/event-stream.port.js';
import type { HandlerMetrics } from '../ports/handler-metrics.port.js';
import type { HandlerProgress } from '../ports/handler-progress.port.js';
import { fairShare, LEASE_RENEWAL_MS } from '../ports/partition-leases.port.js';
import { withDeadline } from '../timing/deadline.js';
import { AttemptSlots } from './attempt-slots.js';
import type { DurableEventHandler } from './durable-event-handler.js';
import { PartitionWindow } from './partition-window.js';

const READ_EVENTS_MAX = 500;

/** How often is looked for what, in milliseconds. */
export const HANDLER_PACE = {
  /** What was decided since. */
  pollMs: 200,
  /** How far all is finished is written down. */
  saveMs: 1_000,
  /** The same where nothing was handled: a crash repeats nothing there. */
  savePassedMs: 10_000,
  /** Attempts that are due. */
  retryLookMs: 1_000,
  /** Dead letters that somebody wants tried again. */
  lateLookMs: 5_000,
};
const TROUBLE_PAUSE_MS = 1_000;
/** What runs when the process stops may take so long to end. */
const STOP_GRACE_MS = 3_000;

export interface RunnerParts {
  handler: DurableEventHandler;
  stream: EventStream;
  progress: HandlerProgress;
  metrics: HandlerMetrics;
}

export interface RunnerOptions {
  /** This process, as the leases know it. Unique for each process and start. */
  ownerId: string;
  partitions: number;
  /** A process lock keeps others out: a former owner's leases are taken at once. */
  exclusive: boolean;
  onTrouble: (what: string, error: unknown) => void;
  renewalMs?: number;
  stopGraceMs?: number;
  pace?: typeof HANDLER_PACE;
}

interface Running {
  window: PartitionWindow;
  savedAt: number;
  retriedAt: number;
}

/**
 * Runs one handler on this process's share of the partitions. It reads only what is decided for good, so a handler finds
 * the read models at least as new as its event. Whatever fails is tried again; nothing here rejects or ends by itself.
 */
export class EventHandlerRunner {
  private readonly windows = new Map<number, Running>();
  private readonly slots: AttemptSlots;
  private readonly pace: typeof HANDLER_PACE;
  private running: Promise<void> = Promise.resolve();
  private renewedAt = Number.NEGATIVE_INFINITY;
  private renewal: NodeJS.Timeout | undefined;
  private stopped = false;
  private wake: () => void = () => {};

  constructor(
    private readonly parts: RunnerParts,
    private readonly options: RunnerOptions,
  ) {
    this.slots = new AttemptSlots(parts.handler.concurrencyMax);
    this.pace = options.pace ?? HANDLER_PACE;
  }

  start(): void {
    this.running = this.run();
    // Beside the turns: a log that is slow to answer must not cost the leases. What was lost, the next turn finds.
    this.renewal = setInterval(() => {
      const { handler, progress } = this.parts;
      progress.renew(handler.name, this.options.ownerId).catch(() => {});
    }, this.renewalMs);
  }

  owned(): number[] {
    return [...this.windows.keys()];
  }

  /** Lets what runs end, writes down how far it got, and gives the partitions to others. Ends in some seconds. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.wake();
    await this.running;
    clearInterval(this.renewal);
    await Promise.all(
      [...this.windows.values()].map(({ window }) => window.stop(this.options.stopGraceMs ?? STOP_GRACE_MS)),
    );
    for (const { window } of this.windows.values()) await this.guard('progress not written', () => window.save());
    this.windows.clear();
    const { handler, progress } = this.parts;
    await this.guard('leases not released', () => progress.leave(handler.name, this.options.ownerId));
  }

  private get renewalMs(): number {
    return this.options.renewalMs ?? LEASE_RENEWAL_MS;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const began = Date.now();
      let more = false;
      try {
        await this.keepLeases(began);
        more = await this.turn();
      } catch (error) {
        this.trouble('cannot go on for now', error);
        await this.pause(TROUBLE_PAUSE_MS);
      }
      if (!more) await this.pause(this.pace.pollMs);
    }
  }

  /** True when there is more to read at once. */
  private async turn(): Promise<boolean> {
    const { handler, progress, metrics } = this.parts;
    if (this.windows.size === 0) {
      // Others tell of the partitions that this process had.
      metrics.handlerBacklog(handler.name, 0, 0);
      return false;
    }
    const settled = await progress.settled();
    // Asked after that: what is decided by now has no effect, and what comes later is looked at later.
    const nothingToDo = await inTime(handler.hasNothingToDo(), handler.attemptMsMax);
    let more = false;
    let lag = 0;
    let held = 0;
    for (const running of this.windows.values()) {
      const end = settled.get(running.window.partition) ?? 0;
      more = (await this.advance(running, end, nothingToDo)) || more;
      lag += Math.max(0, end - running.window.finishedTo);
      held += running.window.heldEvents;
    }
    metrics.handlerBacklog(handler.name, lag, held);
    return more;
  }

  private async advance(running: Running, end: number, nothingToDo: boolean): Promise<boolean> {
    const { window } = running;
    try {
      const more = nothingToDo && window.isIdle ? (window.passTo(end), false) : await this.read(window, end);
      const now = Date.now();
      const full = window.room < READ_EVENTS_MAX;
      // What is held is found by the look below once it is written down.
      const soon = full || window.isCatchingUp;
      if (soon || now - running.savedAt >= (nothingToDo ? this.pace.savePassedMs : this.pace.saveMs)) {
        running.savedAt = now;
        if (!(await window.save())) {
          await this.lose([window.partition], 'another process has the partition');
          return false;
        }
      }
      const lookMs = window.heldEvents > 0 ? this.pace.retryLookMs : this.pace.lateLookMs;
      if (window.isCatchingUp || now - running.retriedAt >= lookMs) {
        running.retriedAt = now;
        await window.retry();
      }
      // A full window waits for its events, not for another look.
      return more && window.room > 0;
    } catch (error) {
      // The other partitions go on.
      this.trouble(`partition ${window.partition} cannot go on for now`, error);
      return false;
    }
  }

  private async read(window: PartitionWindow, end: number): Promise<boolean> {
    if (window.readTo >= end) return false;
    const limit = Math.min(READ_EVENTS_MAX, window.room);
    if (limit <= 0) return true;
    const events = await this.parts.stream.read(window.partition, window.readPosition, limit);
    // Appended, and not decided for good: the read models do not show it yet.
    const settled = events.filter(({ offset }) => offset < end);
    window.take(settled);
    if (settled.length === limit) return true;
    window.readTo = end;
    return false;
  }

  private async keepLeases(now: number): Promise<void> {
    if (now - this.renewedAt < this.renewalMs) return;
    const { handler, progress } = this.parts;
    const { ownerId, partitions, exclusive } = this.options;
    const standing = exclusive ? { workers: 1, rank: 0 } : await progress.attend(handler.name, ownerId);
    const share = fairShare(partitions, standing);
    const kept = await progress.renew(handler.name, ownerId);
    this.renewedAt = now;
    await this.lose(
      this.owned().filter((partition) => !kept.includes(partition)),
      'the lease ran out',
    );
    const unused = kept.filter((partition) => !this.windows.has(partition));
    const surplus = this.owned().slice(share);
    await this.giveBack(surplus);
    if (unused.length > 0) await progress.release(handler.name, ownerId, unused);
    const missing = share - this.windows.size;
    if (missing <= 0) return;
    const others = Array.from({ length: partitions }, (_, partition) => partition).filter((p) => !this.windows.has(p));
    const options = { partitions: others, begin: handler.begin, exclusive, partitionsMax: missing };
    for (const taken of await progress.claim(handler.name, ownerId, options)) {
      const parts = { handler, progress, slots: this.slots, metrics: this.parts.metrics };
      const window = new PartitionWindow(parts, taken);
      await window.open();
      this.windows.set(taken.partition, { window, savedAt: now, retriedAt: 0 });
    }
  }

  /** Others write from here on: what runs is cut off, nothing is written. */
  private async lose(partitions: readonly number[], why: string): Promise<void> {
    for (const partition of partitions) {
      const running = this.windows.get(partition);
      this.windows.delete(partition);
      this.trouble(`partition ${partition} is lost: ${why}`, null);
      await running?.window.stop(0);
    }
  }

  private async giveBack(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) {
      const running = this.windows.get(partition);
      if (!running) continue;
      await running.window.stop(STOP_GRACE_MS);
      await this.guard('progress not written', () => running.window.save());
      this.windows.delete(partition);
    }
    const { handler, progress } = this.parts;
    if (partitions.length > 0) await progress.release(handler.name, this.options.ownerId, partitions);
  }

  private async guard(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.trouble(what, error);
    }
  }

  private pause(ms: number): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private trouble(what: string, error: unknown): void {
    this.options.onTrouble(`Event handler ${this.parts.handler.name}: ${what}`, error);
  }
}

/** @throws Error when the handler has not answered by then: it would hold up its own leases and the process's end */
function inTime(answer: boolean | Promise<boolean>, msMax: number): boolean | Promise<boolean> {
  if (typeof answer === 'boolean') return answer;
  return withDeadline(answer, msMax, () => {
    throw new Error(`hasNothingToDo took longer than ${msMax} ms`);
  });
}
