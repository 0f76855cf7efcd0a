import type { Checkpoint } from '../ports/checkpoint.port.js';
import type { MessageStore } from '../ports/message-store.port.js';
import type { PipelineMetrics } from '../ports/pipeline-metrics.port.js';
import type { MessageReappender, ReappendCount, TimeSpan } from './message-reappender.js';

/** A node is noticed to be away some time after it went, and clocks differ: events so much later are appended too. */
const NOTICED_WITHIN_MS = 60_000;
/** While a node is away, only partitions that a process takes so soon after its start may have had no owner when it went. */
const STARTING_MS = 60_000;
/** After a node was back for so long, the owners of then have done it. */
const RETURN_REMEMBERED_MS = 15 * 60_000;
const LOOK_EVERY_MS = 1_000;
const RETRY_MS = { first: 1_000, longest: 30_000 };

export interface StoreRecoveryPorts {
  store: MessageStore;
  checkpoint: Checkpoint;
  metrics: PipelineMetrics;
  /** The partitions that this process owns. */
  owned: () => ReadonlySet<number>;
}

export interface StoreRecoveryOptions {
  /** How long before a node went away its acknowledgements are not trusted; 0 trusts them all. */
  windowMs: number;
  onReport?: (what: string, figures: object) => void;
  onTrouble?: (what: string, error: unknown) => void;
  now?: () => number;
}

/**
 * What a store acknowledged shortly before a node of it died may be gone: so when a node is back, the owner of each
 * partition appends again what the stream says of that time. So does whoever takes a partition for its last events,
 * unless it is marked as whole and no node has started anew since: nobody may have seen what happened to the store.
 *
 * One span of one partition at a time; what fails is begun again. Does nothing for stores that lose nothing.
 */
export class StoreRecovery {
  /** By partition. Two spans of one are made one. */
  private readonly due = new Map<number, TimeSpan>();
  /** Partitions whose last events are still to be looked for. */
  private readonly fresh = new Set<number>();
  private seen: ReadonlySet<number> = new Set();
  private lastReturn: { span: TimeSpan; at: number } | null = null;
  private readonly stopping = new AbortController();
  private readonly now: () => number;
  private startedAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private stopListening: (() => void) | null = null;
  private running: Promise<void> | null = null;
  private retryAt = 0;
  private retryMs = RETRY_MS.first;

  constructor(
    private readonly ports: StoreRecoveryPorts,
    private readonly reappender: MessageReappender,
    private readonly options: StoreRecoveryOptions,
  ) {
    this.now = options.now ?? Date.now;
  }

  start(): void {
    if (this.options.windowMs === 0) return;
    this.stopListening = this.ports.store.onNodeReturned((awaySinceMs) => this.nodeReturned(awaySinceMs));
    if (!this.stopListening) return;
    this.startedAt = this.now();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.timer.unref();
  }

  /** Ends after the page that is being appended. Never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopListening?.();
    if (this.timer) clearInterval(this.timer);
    await this.running;
  }

  private nodeReturned(awaySinceMs: number): void {
    const span = { fromMs: awaySinceMs - this.options.windowMs, toMs: awaySinceMs + NOTICED_WITHIN_MS };
    this.options.onReport?.('A node of the message store is back: recent events are appended again', span);
    this.lastReturn = { span, at: this.now() };
    for (const partition of this.ports.owned()) this.add(partition, span);
    this.retryAt = 0;
    this.look();
  }

  private add(partition: number, { fromMs, toMs }: TimeSpan): void {
    const known = this.due.get(partition) ?? { fromMs, toMs };
    this.due.set(partition, { fromMs: Math.min(known.fromMs, fromMs), toMs: Math.max(known.toMs, toMs) });
  }

  private look(): void {
    this.noticeTaken();
    if (this.running || this.now() < this.retryAt || this.due.size + this.fresh.size === 0) return;
    this.running = this.work().finally(() => (this.running = null));
  }

  /** Partitions that this process did not own before: whoever did may have ended before it could do its part. */
  private noticeTaken(): void {
    const now = this.now();
    const owned = new Set(this.ports.owned());
    for (const partition of owned) {
      if (this.seen.has(partition)) continue;
      this.fresh.add(partition);
      if (this.lastReturn && now - this.lastReturn.at < RETURN_REMEMBERED_MS) this.add(partition, this.lastReturn.span);
    }
    this.seen = owned;
  }

  private async work(): Promise<void> {
    const total: ReappendCount = { events: 0, messages: 0, missing: 0 };
    const began = this.now();
    try {
      const run = await this.ports.store.currentRun();
      await this.addLast(run);
      for (const partition of this.due.keys()) {
        if (this.stopping.signal.aborted) return;
        await this.reappend(partition, run, total);
      }
      this.retryMs = RETRY_MS.first;
    } catch (error) {
      this.retryAt = this.now() + this.retryMs;
      this.retryMs = Math.min(2 * this.retryMs, RETRY_MS.longest);
      this.options.onTrouble?.('Recent events could not be appended again yet', error);
    }
    if (total.events === 0) return;
    const figures = { ...total, tookMs: this.now() - began };
    this.options.onReport?.('Recent events were appended to the message store again', figures);
  }

  /** The time before the last message of each fresh partition that is not known to be whole, whenever that was. */
  private async addLast(run: string | null): Promise<void> {
    const { store, checkpoint } = this.ports;
    const partitions = [...this.fresh];
    if (partitions.length === 0) return;
    const unseen = run !== null || this.now() - this.startedAt < STARTING_MS ? partitions : [];
    const whole = run === null ? new Set<number>() : await store.wholeIn(run, unseen);
    if (whole.size > 0) {
      const figures = { partitions: whole.size };
      this.options.onReport?.(
        'No node has started since these partitions were whole: nothing is appended again',
        figures,
      );
    }
    const unsure = unseen.filter((partition) => !whole.has(partition));
    const progress = unsure.length === 0 ? [] : await checkpoint.progress(unsure);
    const empty = progress.filter(({ clock }) => clock.ms === 0).map(({ partition }) => partition);
    if (run !== null && empty.length > 0) await store.markWhole(run, empty);
    for (const { partition, clock } of progress) {
      if (clock.ms === 0) continue;
      this.add(partition, { fromMs: clock.ms - this.options.windowMs, toMs: Number.MAX_SAFE_INTEGER });
    }
    for (const partition of partitions) this.fresh.delete(partition);
  }

  /** Also where the partition has a new owner by now, which does no harm: a write carries its rev, whoever makes it. */
  private async reappend(partition: number, run: string | null, total: ReappendCount): Promise<void> {
    const span = this.due.get(partition)!;
    const { signal } = this.stopping;
    const { events, messages, missing } = await this.reappender.run(partition, span, signal);
    total.events += events;
    total.messages += messages;
    total.missing += missing;
    this.ports.metrics.messagesReappended(messages);
    // Unless it was cut short, or another node came back meanwhile.
    if (signal.aborted || this.due.get(partition) !== span) return;
    if (run !== null) await this.ports.store.markWhole(run, [partition]);
    if (this.due.get(partition) === span) this.due.delete(partition);
  }
}
