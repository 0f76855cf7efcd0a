import { EventEmitter, once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** What is wrong with one direction of the connections through a proxy. Nothing is, to begin with. */
export class FaultyDirection {
  #latencyMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  #isSilent = false;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  get latencyMs(): number {
    return this.#latencyMs;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** Every byte arrives this much later; the order stays. */
  delay(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  /** No connection carries more than this. */
  slowDown(bytesPerSecond: number): void {
    if (!(bytesPerSecond > 0)) throw new RangeError('A rate of nothing is silence: use silence().');
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** A black hole: connections stay open, and nothing arrives, not even their end. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Nothing is wrong any more; what was held back arrives now. */
  heal(): void {
    this.#latencyMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#isSilent = false;
    this.#changes.emit('healed');
  }

  /** Returns after this time, or at once when all is healed. @throws when the signal is raised before. */
  async wait(durationMs: number, signal: AbortSignal): Promise<void> {
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    const waits = [wait(durationMs, undefined, { signal: either }), once(this.#changes, 'healed', { signal: either })];
    try {
      await Promise.race(waits);
    } finally {
      ending.abort();
      await Promise.allSettled(waits);
    }
  }

  /** Returns when this direction carries something. @throws when the signal is raised before. */
  async untilOpen(signal: AbortSignal): Promise<void> {
    while (this.#isSilent) await once(this.#changes, 'healed', { signal });
  }
}
