import { ParleyError, toParleyError } from './errors.js';

/** Time as the client sees it; tests pass one that they move by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `work` once after so many milliseconds, unless the function it returns is called before. */
  after(delayMs: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, work) {
    const timer = setTimeout(work, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after so many milliseconds. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((done) => void clock.after(delayMs, done));
}

/** @throws ParleyError `timeout` when the work takes longer: what still comes of it is dropped; or what the work rejects with */
export function inTime<Value>(clock: Clock, waitMs: number, failure: string, work: Promise<Value>): Promise<Value> {
  return new Promise((done, fail) => {
    const cancel = clock.after(waitMs, () => fail(new ParleyError('timeout', failure)));
    work.then(done, (cause: unknown) => fail(toParleyError(cause))).finally(cancel);
  });
}

/** Doubles from `firstMs` up to `maxMs`; the upper half is random, so that clients do not come back in step. */
export function backOffMs(attempt: number, firstMs: number, maxMs: number, random: () => number): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 20));
  return Math.round(full / 2 + (random() * full) / 2);
}
