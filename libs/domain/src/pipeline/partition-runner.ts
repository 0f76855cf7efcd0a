import { type LogRecord, LogTruncated, type Positions } from '../ports/command-log.port.js';
import {
  fairShare,
  LEASE_RENEWAL_MS,
  type PartitionLeases,
  type PartitionProgress,
} from '../ports/partition-leases.port.js';
import { LogReplaced } from './log-continuity.js';
import { Fenced, type PartitionOwner } from './partition-owner.js';

export interface PartitionRunnerOptions {
  /** This process, as the leases know it. Unique for each process and start. */
  ownerId: string;
  partitions: number;
  /** A process lock keeps others out: this process takes everything, a former owner's leases too, at once. */
  exclusive: boolean;
  onTrouble?: (what: string, error: unknown) => void;
  renewalMs?: number;
}

/**
 * Keeps a process's share of the partitions: claims them, renews their leases, gives back what is more than its share
 * when others join, takes more when others leave. It drops the partitions that are fenced, and after any other failure
 * that the owner does not live through everything, and claims again from what is committed.
 *
 * Renewals run beside the batches. What they find lost or too much is dropped where no batch is in flight (`settle`).
 */
export class PartitionRunner {
  private readonly mine = new Set<number>();
  /** Of those: to be dropped, since the lease ran out. */
  private readonly lost = new Set<number>();
  /** Of those: to be given to others. */
  private readonly surplus = new Set<number>();
  private fair: number;
  private timer: NodeJS.Timeout | null = null;
  private renewing: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly owner: PartitionOwner,
    private readonly leases: PartitionLeases,
    private readonly options: PartitionRunnerOptions,
  ) {
    this.fair = options.partitions;
  }

  /** Claims what is free, up to this process's share, and starts renewing. @throws when the database cannot be reached. */
  async start(): Promise<void> {
    await this.attend();
    await this.claim();
    this.timer = setInterval(() => {
      this.renewing ??= this.renew().finally(() => (this.renewing = null));
    }, this.options.renewalMs ?? LEASE_RENEWAL_MS);
  }

  owned(): ReadonlySet<number> {
    return this.mine;
  }

  /** How many partitions this process is to own, as far as it knows. */
  share(): number {
    return this.fair;
  }

  positions(): Positions {
    return this.owner.positions();
  }

  /** Records of each owned partition whose outcome is not in the read models, of a log that ends there. */
  lags(ends: Positions): Map<number, number> {
    const lags = new Map<number, number>();
    for (const [partition, nextOffset] of this.positions()) {
      lags.set(partition, Math.max(0, (ends.get(partition) ?? nextOffset) - nextOffset));
    }
    return lags;
  }

  /** Waits for the batch in flight, then drops and gives back what is no longer this process's. Never rejects. */
  async settle(): Promise<void> {
    await this.guard(() => this.owner.settle());
    if (this.lost.size > 0 || this.surplus.size > 0) await this.handOver();
  }

  publish(): void {
    this.owner.publish();
  }

  /** Decides records and sends their batch on its way. Never rejects. */
  async process(records: readonly LogRecord[]): Promise<void> {
    await this.guard(() => this.owner.process(records));
  }

  /** The log cannot be read: what was committed is told, the partitions stay this process's. */
  waitForLog(error: unknown): void {
    this.trouble('the log cannot be read', error);
    this.owner.publish();
    this.owner.reportState(this.mine, 'backing_off');
  }

  /** The log can be read again. */
  resume(): void {
    this.owner.reportState(this.mine, 'owning');
  }

  /** Drops everything; it is given up, and what is free claimed again, with the next renewal. */
  abandon(why: string, error: unknown): void {
    this.trouble(why, error);
    this.lose([...this.mine]);
  }

  /** Ends the batch in flight, publishes it and gives the partitions up, so that another owner need not wait. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    if (this.timer) clearInterval(this.timer);
    this.owner.stopRetrying();
    await this.settle();
    this.owner.publish();
    await this.renewing;
    this.lose([...this.mine]);
    await this.leases.leave(this.options.ownerId).catch((error: unknown) => this.trouble('leases not released', error));
  }

  private async attend(): Promise<void> {
    const { ownerId, partitions, exclusive } = this.options;
    if (!exclusive) this.fair = fairShare(partitions, await this.leases.attend(ownerId));
  }

  private async renew(): Promise<void> {
    try {
      await this.attend();
      const held = await this.leases.renew(this.options.ownerId);
      if (this.stopped) return;
      // A lease that ran out unseen (the process was paused) may have another owner: the fence decides, not the clock.
      for (const partition of this.mine) if (!held.includes(partition)) this.lost.add(partition);
      // Dropped after a failure, or the answer to their claim never came: nobody works on them until they are free.
      const unused = held.filter((partition) => !this.mine.has(partition));
      if (unused.length > 0) await this.leases.release(this.options.ownerId, unused);
      await this.claim();
    } catch (error) {
      this.trouble('leases not renewed', error);
    }
  }

  private async claim(): Promise<void> {
    const { ownerId, partitions, exclusive } = this.options;
    const kept = [...this.mine].filter((partition) => !this.lost.has(partition));
    this.surplus.clear();
    for (const partition of kept.slice(this.fair)) this.surplus.add(partition);
    const missing = this.fair - kept.length;
    if (missing <= 0) return;
    const others = Array.from({ length: partitions }, (_, partition) => partition).filter((p) => !this.mine.has(p));
    if (others.length === 0) return;
    const progress = await this.leases.claim(ownerId, others, exclusive, missing);
    if (this.stopped || progress.length === 0) return;
    await (this.timer ? this.takeSound(progress) : this.take(progress));
  }

  private async take(progress: readonly PartitionProgress[]): Promise<void> {
    await this.owner.take(progress);
    for (const { partition } of progress) this.mine.add(partition);
  }

  /**
   * A partition whose log has lost records is nobody's until somebody has seen to it; a process that starts says so and
   * ends. One that works takes the others over all the same, or the clients of those would have no owner either.
   */
  private async takeSound(progress: readonly PartitionProgress[]): Promise<void> {
    for (let rest = progress; rest.length > 0;) {
      try {
        return await this.take(rest);
      } catch (error) {
        if (!(error instanceof LogTruncated) && !(error instanceof LogReplaced)) throw error;
        this.trouble('a partition cannot be taken', error);
        rest = rest.filter(({ partition }) => partition !== error.partition);
      }
    }
  }

  /** Everything of these partitions is committed; it is told before another owner goes on with them. */
  private async handOver(): Promise<void> {
    this.owner.publish();
    this.lose([...this.lost]);
    const given = [...this.surplus];
    this.lose(given);
    if (given.length === 0) return;
    // If it fails, the next renewal finds that they are held and not used.
    await this.leases
      .release(this.options.ownerId, given)
      .catch((error: unknown) => this.trouble('partitions not given back', error));
  }

  private lose(partitions: readonly number[]): void {
    if (partitions.length === 0) return;
    this.owner.yieldPartitions(partitions);
    for (const partition of partitions) {
      this.mine.delete(partition);
      this.lost.delete(partition);
      this.surplus.delete(partition);
    }
  }

  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.trouble(error instanceof Fenced ? 'fenced' : 'the owner failed', error);
      this.lose(error instanceof Fenced ? error.partitions : [...this.mine]);
    }
  }

  private trouble(what: string, error: unknown): void {
    this.options.onTrouble?.(what, error);
  }
}
