import { type Mark, TransientMap } from '@parley/domain';

/** A reader's mark in one conversation reaches others at most once in this time. */
export const READ_RECEIPT_EVERY_MS = 1_000;
/** Above this many readers at once the oldest wait ends early: memory is bounded before the pace is. */
const READERS_MAX = 50_000;

export interface PacedRead {
  type: 'read-due';
  conversationId: string;
  membershipEpoch: number;
  memberCount: number;
  userId: string;
  read: Mark;
}

interface Pace {
  until: number;
  waiting: PacedRead | null;
}

/** Lets the first read mark of a reader in a conversation pass, and the last one of each second after it. */
export class ReadReceiptPace {
  /** In the order in which they end, since all last equally long. */
  private readonly paces = new TransientMap<string, Pace>();
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly now: () => number,
    private readonly onDue: (read: PacedRead) => void,
  ) {}

  /** True when it may be shown at once; otherwise the latest one is given to `onDue` when its time has come. */
  take(read: PacedRead): boolean {
    const key = `${read.conversationId}:${read.userId}`;
    const now = this.now();
    this.end(now);
    const pace = this.paces.get(key);
    if (pace) {
      pace.waiting = read;
      return false;
    }
    if (this.paces.size >= READERS_MAX) this.endFirst(now);
    this.begin(key, now);
    return true;
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.paces.clear();
  }

  private begin(key: string, now: number): void {
    this.paces.set(key, { until: now + READ_RECEIPT_EVERY_MS, waiting: null });
    this.timer ??= setTimeout(() => this.tick(), READ_RECEIPT_EVERY_MS).unref();
  }

  private tick(): void {
    this.timer = null;
    this.end(this.now());
    const first = this.paces.values().next().value;
    if (first) this.timer ??= setTimeout(() => this.tick(), Math.max(1, first.until - this.now())).unref();
  }

  private end(now: number): void {
    for (const { until } of this.paces.values()) {
      if (until > now) return;
      this.endFirst(now);
    }
  }

  private endFirst(now: number): void {
    const [first] = this.paces;
    if (!first) return;
    const [key, { waiting }] = first;
    this.paces.delete(key);
    if (!waiting) return;
    this.begin(key, now);
    this.onDue(waiting);
  }
}
