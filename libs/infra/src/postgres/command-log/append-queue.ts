import { DomainError } from '@parley/domain';

/** A record on its way into the log. */
export interface AppendedRecord {
  partition: number;
  payload: string;
}

export interface AppendQueueOptions {
  /** Writes them, in order, all or none. */
  write: (records: readonly AppendedRecord[], withinMs: number) => Promise<void>;
  /** Records that may wait, those on their way included; beyond them appends are refused as `overloaded`. */
  recordsMax: number;
  onTrouble?: (what: string, error: unknown) => void;
}

/** One statement holds no more, unless a single append does. */
export const APPEND_RECORDS_MAX = 2_000;
export const APPEND_CHARS_MAX = 2_000_000;
/** Characters that may wait, at up to three bytes each. */
const WAITING_CHARS_MAX = 64_000_000;
/** An append is answered within this time, whatever the database does. */
export const APPEND_MS_MAX = 2_500;
/** What the last statement of that time gets at least. */
const WRITE_MS_MIN = 500;
const OVERLOADED_RETRY_AFTER_MS = 500;

interface Group {
  records: readonly AppendedRecord[];
  chars: number;
  queuedAt: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers appends while the ones before are being written: one statement under way at a time, so that records reach the
 * log in the order of their appends, and a commit is shared by all that came meanwhile.
 */
export class AppendQueue {
  private waiting: Group[] = [];
  private records = 0;
  private chars = 0;
  private writing: Promise<void> | null = null;
  private closed = false;

  constructor(private readonly options: AppendQueueOptions) {}

  /**
   * Resolves when the records are written; within three seconds in any case.
   * @throws DomainError `overloaded`; or what `write` throws: then they may have been written all the same
   */
  append(records: readonly AppendedRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.closed) return Promise.reject(new DomainError('store_unavailable', 'The command log is closed'));
    const chars = records.reduce((sum, { payload }) => sum + payload.length, 0);
    if (this.records + records.length > this.options.recordsMax || this.chars + chars > WAITING_CHARS_MAX) {
      const details = { retryAfterMs: OVERLOADED_RETRY_AFTER_MS };
      return Promise.reject(new DomainError('overloaded', 'Too many records are waiting for the log', details));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ records, chars, queuedAt: performance.now(), resolve, reject });
      this.records += records.length;
      this.chars += chars;
      this.writing ??= this.run();
    });
  }

  /** Waits for what is being written and for what waits. */
  async close(): Promise<void> {
    this.closed = true;
    await this.writing;
  }

  private async run(): Promise<void> {
    // What the present turn of the event loop brings goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const groups = this.take();
      const oldestMs = performance.now() - (groups[0]?.queuedAt ?? 0);
      try {
        const withinMs = Math.max(WRITE_MS_MIN, APPEND_MS_MAX - oldestMs);
        await this.options.write(
          groups.flatMap((group) => group.records),
          withinMs,
        );
        for (const group of this.done(groups)) group.resolve();
      } catch (error) {
        this.options.onTrouble?.('commands cannot be appended to the log', error);
        // Those behind would wait for the same; whoever still wants it asks again.
        for (const group of this.done([...groups, ...this.waiting.splice(0)])) group.reject(error);
      }
    }
    this.writing = null;
  }

  private take(): Group[] {
    let [groups, records, chars] = [0, 0, 0];
    for (const group of this.waiting) {
      records += group.records.length;
      chars += group.chars;
      if (groups > 0 && (records > APPEND_RECORDS_MAX || chars > APPEND_CHARS_MAX)) break;
      groups += 1;
    }
    return this.waiting.splice(0, groups);
  }

  private done(groups: Group[]): Group[] {
    for (const { records, chars } of groups) {
      this.records -= records.length;
      this.chars -= chars;
    }
    return groups;
  }
}
