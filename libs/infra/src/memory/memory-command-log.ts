import {
  CommandLog,
  type CommandRecord,
  DomainError,
  type LogRecord,
  partitionOf,
  type Positions,
  TransientMap,
} from '@parley/domain';

export interface MemoryCommandLogOptions {
  partitions: number;
  /** Records that may wait to be read; one more is refused as `overloaded`. */
  pendingRecordsMax: number;
  /** Milliseconds since the epoch; the system's clock unless given. */
  now?: () => number;
}

const OVERLOADED_RETRY_AFTER_MS = 500;
/**
 * Records that wait longer than this, while others are being committed, mean that more comes than can be decided. Then it
 * is better to refuse at once: a queue that is longer than callers wait does work for nobody (at twice the capacity,
 * measured: 60 % of the capacity was answered in time).
 */
export const WAITING_MS_MAX = 1_000;

interface PartitionQueue {
  /** Not read yet, oldest first: it keeps the order and gives a record back by its id. */
  pending: TransientMap<string, CommandRecord>;
  /** Read and not committed, under consecutive offsets from `keptFrom` on. */
  kept: LogRecord[];
  keptFrom: number;
  /** The offset of the next record that is read for the first time; null until the first reading says where to begin. */
  next: number | null;
}

interface WaitingReader {
  positions: Positions;
  wake: () => void;
}

/**
 * The command log of a single process. Records wait in memory for the owner in the same process and are journaled by the
 * batch that decides them: nobody was answered before that, so a crash loses nothing that was promised.
 *
 * A record gets its offset and its time when it is first read; both stay until it is committed.
 */
export class MemoryCommandLog extends CommandLog {
  override readonly durableAt = 'commit';
  override readonly partitions: number;

  /**
   * How long an idle reader goes on gathering after the first record came, in milliseconds. At 0 it takes what the
   * present turn of the event loop brings. A reader that finds records waiting takes them at once.
   */
  lingerMs = 0;

  private readonly queues: PartitionQueue[];
  /** One as a rule: an array, since the tables of a `Set` would outlive them (see `TransientMap`). */
  private readers: WaitingReader[] = [];
  private readonly pendingRecordsMax: number;
  private readonly now: () => number;
  private pendingRecords = 0;
  private lastCommitAt = 0;
  private lastAt = 0;
  private firstPartition = 0;

  constructor(options: MemoryCommandLogOptions) {
    super();
    this.partitions = options.partitions;
    this.pendingRecordsMax = options.pendingRecordsMax;
    this.now = options.now ?? Date.now;
    this.queues = Array.from({ length: options.partitions }, () => ({
      pending: new TransientMap(),
      kept: [],
      keptFrom: 0,
      next: null,
    }));
  }

  override append(records: readonly CommandRecord[]): Promise<void> {
    if (this.pendingRecords + records.length > this.pendingRecordsMax || this.isBehind(records)) {
      const details = { retryAfterMs: OVERLOADED_RETRY_AFTER_MS };
      return Promise.reject(new DomainError('overloaded', 'Too many commands are waiting', details));
    }
    for (const record of records) {
      const partition = partitionOf(record.conversationId, this.partitions);
      this.queueOf(partition).pending.set(record.commandId, record);
      this.pendingRecords += 1;
      this.wakeReaders(partition);
    }
    return Promise.resolve();
  }

  override withdraw(commandId: string): boolean {
    for (const { pending } of this.queues) {
      if (!pending.delete(commandId)) continue;
      this.pendingRecords -= 1;
      return true;
    }
    return false;
  }

  override async read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]> {
    const waiting = this.take(from, recordsMax);
    if (waiting.length > 0 || waitMs <= 0) return waiting;
    await this.arrival(from, waitMs);
    return this.take(from, recordsMax);
  }

  override committed(positions: Positions): void {
    this.lastCommitAt = this.now();
    for (const [partition, offset] of positions) {
      const queue = this.queueOf(partition);
      const done = offset - queue.keptFrom;
      if (done <= 0 || queue.next === null) continue;
      queue.kept.splice(0, done);
      queue.keptFrom = Math.min(offset, queue.next);
    }
  }

  override lag(): number {
    return this.pendingRecords;
  }

  override ends(): Positions {
    const ends = new Map<number, number>();
    for (const [partition, { next, pending }] of this.queues.entries()) {
      if (next !== null) ends.set(partition, next + pending.size);
    }
    return ends;
  }

  /** More comes than is decided. A log that is not decided at all has another trouble: its callers wait for that to end. */
  private isBehind(records: readonly CommandRecord[]): boolean {
    const now = this.now();
    if (now - this.lastCommitAt > WAITING_MS_MAX) return false;
    return records.some(({ conversationId }) => {
      const { pending } = this.queueOf(partitionOf(conversationId, this.partitions));
      const oldest = pending.values().next().value;
      return oldest !== undefined && now - oldest.submittedAt > WAITING_MS_MAX;
    });
  }

  private queueOf(partition: number): PartitionQueue {
    const queue = this.queues[partition];
    if (!queue) throw new RangeError(`partition ${partition} of a log with ${this.partitions}`);
    return queue;
  }

  private wakeReaders(partition: number): void {
    if (this.readers.length === 0) return;
    for (const reader of this.readers.slice()) if (reader.positions.has(partition)) reader.wake();
  }

  private forget(reader: WaitingReader): void {
    this.readers = this.readers.filter((other) => other !== reader);
  }

  /** Each call begins at another partition, so that a busy one cannot keep the others waiting. */
  private take(from: Positions, recordsMax: number): LogRecord[] {
    const partitions = [...from.keys()];
    const taken: LogRecord[] = [];
    this.firstPartition = (this.firstPartition + 1) % Math.max(1, partitions.length);
    for (let i = 0; i < partitions.length && taken.length < recordsMax; i += 1) {
      const partition = partitions[(this.firstPartition + i) % partitions.length] as number;
      this.takePartition(partition, from.get(partition) as number, recordsMax, taken);
    }
    return taken;
  }

  private takePartition(partition: number, from: number, recordsMax: number, taken: LogRecord[]): void {
    const queue = this.queueOf(partition);
    if (queue.next === null) queue.next = queue.keptFrom = from;
    // Another process owned the partition meanwhile: offsets of records that were read here are now those of its own.
    // Nobody was answered, so they may go; their senders hear `store_unavailable` and send them again.
    if (from < queue.keptFrom || from > queue.next) {
      queue.kept = [];
      queue.next = queue.keptFrom = from;
    }
    for (let i = from - queue.keptFrom; i < queue.kept.length && taken.length < recordsMax; i += 1) {
      taken.push(queue.kept[i] as LogRecord);
    }
    if (taken.length >= recordsMax || queue.pending.size === 0) return;
    const at = (this.lastAt = Math.max(this.lastAt, this.now()));
    for (const [commandId, record] of queue.pending) {
      if (taken.length >= recordsMax) return;
      queue.pending.delete(commandId);
      this.pendingRecords -= 1;
      const read: LogRecord = { partition, offset: queue.next, at, payload: JSON.stringify(record), record };
      queue.next += 1;
      queue.kept.push(read);
      taken.push(read);
    }
  }

  /** Resolves a linger after a record came for one of the partitions, or when the time is over. */
  private arrival(positions: Positions, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const reader: WaitingReader = {
        positions,
        wake: () => {
          clearTimeout(timeout);
          this.forget(reader);
          if (this.lingerMs > 0) setTimeout(resolve, this.lingerMs);
          else setImmediate(resolve);
        },
      };
      const timeout = setTimeout(() => {
        this.forget(reader);
        resolve();
      }, waitMs);
      this.readers.push(reader);
    });
  }
}
