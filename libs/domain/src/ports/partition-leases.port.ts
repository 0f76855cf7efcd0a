import type { PartitionClock } from '../conversation/snowflake.js';

/** Lost when it was not renewed for this long, by the database's clock. */
export const LEASE_MS = 8_000;
export const LEASE_RENEWAL_MS = 2_000;

/** How far a partition has got, and under which ownership. A checkpoint must match epoch and offset. */
export interface PartitionProgress {
  partition: number;
  /** Grows by one at each change of owner. */
  epoch: number;
  nextOffset: number;
  clock: PartitionClock;
  /** Hash of the last applied record, or null before the first: tells a log that lost its end from one that grew again. */
  lastRecordHash: string | null;
}

/** Who owns which partition. One owner at a time; a paused former owner is fenced by the epoch. */
export abstract class PartitionLeases {
  /**
   * Takes partitions that nobody holds. With `exclusive` (a process lock already keeps others out) those of a former
   * owner too, at once. Each taken partition has a new epoch.
   */
  abstract claim(owner: string, partitions: readonly number[], exclusive: boolean): Promise<PartitionProgress[]>;
  /** Keeps the leases alive; answers those that are still held. */
  abstract renew(owner: string): Promise<number[]>;
  /** Gives them up at once (a clean stop). */
  abstract release(owner: string): Promise<void>;
}
