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

/** Where a worker stands among those that live, by the database's clock. */
export interface WorkerStanding {
  /** How many workers live, the one that asks included. */
  workers: number;
  /** How many of them came before it: 0 for the oldest. */
  rank: number;
}

/** Who owns which partition. One owner at a time; a paused former owner is fenced by the epoch. */
export abstract class PartitionLeases {
  /** Says that this worker lives, for as long as a lease lasts, and answers where it stands. The first call joins. */
  abstract attend(owner: string): Promise<WorkerStanding>;
  /**
   * Takes partitions that nobody holds, at most `partitionsMax` of them (all, without it). With `exclusive` (a process
   * lock already keeps others out) those of a former owner too, at once. Each taken partition has a new epoch.
   */
  abstract claim(
    owner: string,
    partitions: readonly number[],
    exclusive: boolean,
    partitionsMax?: number,
  ): Promise<PartitionProgress[]>;
  /** Keeps the leases alive; answers those that are still held. */
  abstract renew(owner: string): Promise<number[]>;
  /** Gives these partitions up at once, so far as this worker holds them. */
  abstract release(owner: string, partitions: readonly number[]): Promise<void>;
  /** Gives everything up at once and no longer counts as a worker (a clean stop). */
  abstract leave(owner: string): Promise<void>;
}

/**
 * How many partitions are this worker's: as many as everybody's, and one more for the oldest where they do not divide
 * evenly. The shares of all workers add up to all partitions, so none is without an owner for want of takers.
 */
export function fairShare(partitions: number, { workers, rank }: WorkerStanding): number {
  return Math.floor(partitions / workers) + (rank < partitions % workers ? 1 : 0);
}
