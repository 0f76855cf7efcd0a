import { TransientMap } from '../collections/transient-map.js';
import type { Outcome } from '../conversation/decision.js';
import type { Reply } from '../ports/replies.port.js';

/** Time-outs are met this exactly: one timer looks after all of them. */
const SWEEP_MS = 25;
const LATE_MS = 10 * 60_000;
/** Outcomes that are still awaited after their time-out; the oldest go first. */
const LATE_COMMANDS_MAX = 100_000;

interface Expectation {
  /** Number of the sweep in which it ends. */
  sweep: number;
  resolve: (outcome: Outcome | null) => void;
  onLate: ((outcome: Outcome) => void) | undefined;
}

interface LateExpectation {
  onLate: (outcome: Outcome) => void;
  until: number;
}

/**
 * The commands of one process that wait for their outcomes: what every adapter of `Replies` keeps. Expectations are kept
 * by the sweep in which they end, so a command costs no timer of its own: at 8,000 commands a second those were what
 * showed in the profile.
 */
export class ReplyExpectations {
  private readonly expected = new TransientMap<string, Expectation>();
  /**
   * Ids by number of the sweep; those answered meanwhile are passed over. Only ids: an expectation holds on to all that
   * its command was made of, and keeping answered ones until their time-out made each minor collection take 16 ms.
   */
  private readonly ending = new TransientMap<number, string[]>();
  /** In the order in which they ran out. */
  private readonly late = new TransientMap<string, LateExpectation>();
  private sweptUntil = 0;
  private timer: NodeJS.Timeout | null = null;

  /** As `Replies.expect` says. */
  expect(commandId: string, timeoutMs: number, onLate?: (outcome: Outcome) => void): Promise<Outcome | null> {
    return new Promise((resolve) => {
      const sweep = Math.floor((performance.now() + timeoutMs) / SWEEP_MS) + 1;
      this.expected.set(commandId, { sweep, resolve, onLate });
      this.keepTimer();
      const bucket = this.ending.get(sweep);
      if (bucket) bucket.push(commandId);
      else this.ending.set(sweep, [commandId]);
    });
  }

  cancel(commandId: string): void {
    const expectation = this.expected.get(commandId);
    if (expectation && this.expected.delete(commandId)) expectation.resolve(null);
    this.late.delete(commandId);
  }

  /** Outcomes that came; those of commands that nobody waits for are dropped. */
  receive(replies: readonly Reply[]): void {
    for (const { commandId, outcome } of replies) this.settle(commandId, outcome);
  }

  /** Commands that are waited for now. */
  get waiting(): number {
    return this.expected.size;
  }

  /** Everybody who still waits is told that no outcome came. */
  close(): void {
    for (const { resolve } of this.expected.values()) resolve(null);
    this.expected.clear();
    this.ending.clear();
    this.late.clear();
    this.stopTimer();
  }

  private settle(commandId: string, outcome: Outcome): void {
    const expectation = this.expected.get(commandId);
    if (expectation) {
      this.expected.delete(commandId);
      expectation.resolve(outcome);
      return;
    }
    const late = this.late.get(commandId);
    if (!late) return;
    this.late.delete(commandId);
    late.onLate(outcome);
  }

  private keepTimer(): void {
    if (this.timer) return;
    this.sweptUntil = Math.floor(performance.now() / SWEEP_MS);
    this.timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  private stopTimer(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  private sweep(): void {
    const now = performance.now();
    const until = Math.floor(now / SWEEP_MS);
    for (; this.sweptUntil < until; this.sweptUntil += 1) {
      const sweep = this.sweptUntil + 1;
      const bucket = this.ending.get(sweep);
      if (!bucket) continue;
      this.ending.delete(sweep);
      for (const commandId of bucket) this.runOut(commandId, sweep, now);
    }
    for (const [commandId, { until: end }] of this.late) {
      if (end > now && this.late.size <= LATE_COMMANDS_MAX) break;
      this.late.delete(commandId);
    }
    if (this.ending.size === 0 && this.late.size === 0) this.stopTimer();
  }

  private runOut(commandId: string, sweep: number, now: number): void {
    const expectation = this.expected.get(commandId);
    // Answered, or expected anew under the same id.
    if (expectation?.sweep !== sweep) return;
    const { resolve, onLate } = expectation;
    this.expected.delete(commandId);
    if (onLate) this.late.set(commandId, { onLate, until: now + LATE_MS });
    resolve(null);
  }
}
