import type { Clock } from '../clock.js';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly work: () => void;
}

/** Lets everything run that waits for nothing but promises. */
export function promisesSettled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** Time that stands still until a test moves it. */
export class VirtualClock implements Clock {
  private nowMs = Date.UTC(2026, 10, 22);
  private order = 0;
  private timers: Timer[] = [];

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.order++, work };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.timers.length;
  }

  /** Runs what is due until then, one timer after the other. */
  async advance(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await promisesSettled();
    for (let next = this.nextBefore(endMs); next; next = this.nextBefore(endMs)) {
      this.nowMs = Math.max(this.nowMs, next.atMs);
      this.timers = this.timers.filter((one) => one !== next);
      next.work();
      await promisesSettled();
    }
    this.nowMs = endMs;
  }

  private nextBefore(endMs: number): Timer | undefined {
    return this.timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }
}
