import type { LogRecord, Positions } from '../ports/command-log.port.js';
import { LEASE_RENEWAL_MS, type PartitionLeases } from '../ports/partition-leases.port.js';
import { Fenced, type PartitionOwner } from './partition-owner.js';

export interface PartitionRunnerOptions {
  /** This process, as the leases know it. */
  ownerId: string;
  partitions: number;
  /** A process lock keeps others out: a former owner's leases are taken at once. */
  exclusive: boolean;
  onTrouble?: (what: string, error: unknown) => void;
  renewalMs?: number;
}

/**
 * Keeps a process's share of the partitions: claims them, renews their leases, and after being fenced (or any failure
 * that the owner does not live through) drops everything and claims again from what is committed.
 */
export class PartitionRunner {
  private readonly mine = new Set<number>();
  private timer: NodeJS.Timeout | null = null;
  private renewing: Promise<void> = Promise.resolve();
  private settled = false;

  constructor(
    private readonly owner: PartitionOwner,
    private readonly leases: PartitionLeases,
    private readonly options: PartitionRunnerOptions,
  ) {}

  /** Claims what is free and starts renewing. @throws when the database cannot be reached. */
  async start(): Promise<void> {
    await this.claim();
    this.timer = setInterval(() => {
      this.renewing = this.renewing.then(() => this.renew());
    }, this.options.renewalMs ?? LEASE_RENEWAL_MS);
  }

  owned(): ReadonlySet<number> {
    return this.mine;
  }

  positions(): Positions {
    return this.owner.positions();
  }

  /** Waits for the batch in flight. Never rejects. */
  async settle(): Promise<void> {
    await this.guard(() => this.owner.settle());
  }

  publish(): void {
    this.owner.publish();
  }

  /** Decides records and sends their batch on its way. Never rejects. */
  async process(records: readonly LogRecord[]): Promise<void> {
    await this.guard(() => this.owner.process(records));
  }

  /** Drops everything; what is free is claimed again with the next renewal. */
  abandon(why: string, error: unknown): void {
    this.trouble(why, error);
    this.lose([...this.mine]);
  }

  /** Ends the batch in flight, publishes it and gives the partitions up, so that another owner need not wait. */
  async stop(): Promise<void> {
    if (this.settled) return;
    this.settled = true;
    if (this.timer) clearInterval(this.timer);
    this.owner.stopRetrying();
    await this.settle();
    this.owner.publish();
    await this.renewing;
    this.owner.yieldPartitions([...this.mine]);
    this.mine.clear();
    await this.leases
      .release(this.options.ownerId)
      .catch((error: unknown) => this.trouble('leases not released', error));
  }

  private async claim(): Promise<void> {
    const { ownerId, partitions, exclusive } = this.options;
    const wanted = Array.from({ length: partitions }, (_, partition) => partition).filter(
      (partition) => !this.mine.has(partition),
    );
    if (wanted.length === 0) return;
    const progress = await this.leases.claim(ownerId, wanted, exclusive);
    await this.owner.take(progress);
    for (const { partition } of progress) this.mine.add(partition);
  }

  private async renew(): Promise<void> {
    try {
      const held = new Set(await this.leases.renew(this.options.ownerId));
      if (this.settled) return;
      const lost = [...this.mine].filter((partition) => !held.has(partition));
      // A lease that ran out unseen (the process was paused) may have another owner: the fence decides, not the clock.
      if (lost.length > 0) this.lose(lost);
      await this.claim();
    } catch (error) {
      this.trouble('leases not renewed', error);
    }
  }

  private lose(partitions: readonly number[]): void {
    this.owner.yieldPartitions(partitions);
    for (const partition of partitions) this.mine.delete(partition);
  }

  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.trouble(error instanceof Fenced ? 'fenced' : 'the owner failed', error);
      this.lose([...this.mine]);
      await this.leases.release(this.options.ownerId).catch(() => {});
    }
  }

  private trouble(what: string, error: unknown): void {
    this.options.onTrouble?.(what, error);
  }
}
