import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { FaultyDirection } from './faulty-direction.js';

/** As much as may be under way before the sender has to wait, like the buffers of a long line. */
const UNDER_WAY_BYTES_MAX = 4 * 1024 * 1024;
/** A slow line is fed so often that it looks steady. */
const SLICES_PER_SECOND = 20;

interface Parcel {
  /** Undefined is the end of the stream. */
  readonly bytes: Buffer | undefined;
  readonly sentAtMs: number;
}

/** Carries what comes from one socket to another, under the faults of a direction. */
export class DelayedFlow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: FaultyDirection;
  readonly #stopping = new AbortController();
  readonly #parcels: Parcel[] = [];
  #underWayBytes = 0;
  #isCarrying = false;

  constructor(from: Socket, to: Socket, direction: FaultyDirection) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    from.on('data', (bytes: Buffer) => {
      if (this.#stopping.signal.aborted) return;
      this.#underWayBytes += bytes.length;
      if (this.#underWayBytes >= UNDER_WAY_BYTES_MAX) from.pause();
      this.#add(bytes);
    });
    from.on('end', () => this.#add(undefined));
    to.on('close', () => this.stop());
  }

  /** Returns when the news that a connection has broken would arrive. @throws when this flow is stopped before. */
  untilOpen(): Promise<void> {
    return this.#direction.untilOpen(this.#stopping.signal);
  }

  /** What is under way is dropped. */
  stop(): void {
    this.#stopping.abort();
    this.#parcels.length = 0;
  }

  #add(bytes: Buffer | undefined): void {
    this.#parcels.push({ bytes, sentAtMs: performance.now() });
    if (this.#isCarrying) return;
    this.#isCarrying = true;
    void this.#carryAll();
  }

  async #carryAll(): Promise<void> {
    try {
      for (let parcel = this.#parcels.shift(); parcel; parcel = this.#parcels.shift()) await this.#carry(parcel);
      this.#isCarrying = false;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#to.destroy(error as Error);
    }
  }

  async #carry({ bytes, sentAtMs }: Parcel): Promise<void> {
    const { signal } = this.#stopping;
    await this.#direction.untilOpen(signal);
    const leftMs = sentAtMs + this.#direction.latencyMs - performance.now();
    if (leftMs > 0) await this.#direction.wait(leftMs, signal);
    if (bytes === undefined) return void this.#to.end();
    for (let at = 0; at < bytes.length;) {
      await this.#direction.untilOpen(signal);
      const { bytesPerSecond } = this.#direction;
      const slice = bytes.subarray(at, at + Math.max(1, Math.floor(bytesPerSecond / SLICES_PER_SECOND)));
      at += slice.length;
      if (Number.isFinite(bytesPerSecond)) await this.#direction.wait((slice.length / bytesPerSecond) * 1_000, signal);
      if (!this.#to.write(slice)) await once(this.#to, 'drain', { signal });
    }
    this.#underWayBytes -= bytes.length;
    if (this.#from.isPaused() && this.#underWayBytes < UNDER_WAY_BYTES_MAX) this.#from.resume();
    return undefined;
  }
}
