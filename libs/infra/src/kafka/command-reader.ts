import { type LogRecord, LogTruncated, parseCommandRecord, partitionOf, type Positions } from '@parley/domain';
import { latestTimesBefore, type ReadingStart } from './append-times.js';
import type { OnTrouble } from './kafka-client.js';
import { EARLIEST, type FetchedPartition, LATEST, OFFSET_OUT_OF_RANGE, type TopicReader } from './topic-reader.js';

/** A broker holds an idle fetch for so long: a partition that is asked for anew waits for its end. */
export const FETCH_WAIT_MS = 250;
/** For so long a reading waits for what is there: a broker that does not answer keeps nobody else's records back. */
const REFRESH_MS_MAX = 50;
const FETCH_BYTES_MAX = 4 * 1_048_576;
const FETCH_BYTES_PER_PARTITION_MAX = 524_288;
const BACKOFF_MS = { first: 100, longest: 1_000 };
/** Place of what finds out the leaders among the fetches, which are known by their broker. */
const LEADERS = -1;

/** Where reading stands in a partition. */
interface Cursor {
  readonly partition: number;
  /** Of the next record that is handed out. */
  next: number;
  /** Fetched and not handed out; `taken` of them are gone already. */
  buffer: LogRecord[];
  taken: number;
  fetchFrom: number;
  /** The latest time of a record before `fetchFrom`; null until the first fetch. */
  latestAt: number | null;
  highWatermark: number;
  truncated: LogTruncated | null;
}

/**
 * Reads the partitions of one owner: each broker has at most one fetch under way for all that it leads. A reading fetches
 * what is there now, so that a batch holds everything which came during the one before it; had it been fetched ahead, it
 * would be what came first, and the rest would wait for another batch. Only where there is more than one batch holds, the
 * next one is fetched meanwhile. What was fetched and not handed out waits in memory (one fetch for each broker at most).
 *
 * For one reader: partitions that a reading does not ask for are forgotten, and fetched anew when they are.
 */
export class CommandReader {
  private readonly cursors = new Map<number, Cursor>();
  private readonly fetches = new Map<number, Promise<void>>();
  private readonly waiting = new Set<() => void>();
  private firstCursor = 0;
  private backoffMs = BACKOFF_MS.first;
  private endPauses = new AbortController();

  constructor(
    private readonly reader: TopicReader,
    private readonly partitions: number,
    private readonly onTrouble?: OnTrouble,
  ) {}

  /** @throws LogTruncated */
  async read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]> {
    this.follow(from);
    if (this.buffered() < recordsMax) await this.refresh();
    let taken = this.take(recordsMax);
    if (taken.length === 0 && waitMs > 0 && !this.closed) {
      await this.arrival(waitMs);
      taken = this.take(recordsMax);
    }
    // There is more than one batch holds: the next one is fetched while this one is being decided.
    if (taken.length === recordsMax) this.startFetches(0);
    return taken;
  }

  /** Records that are there and have not been handed out, as of the last answers. */
  lag(): number {
    let records = 0;
    for (const { highWatermark, next } of this.cursors.values()) records += Math.max(0, highWatermark - next);
    return records;
  }

  ends(): Positions {
    const ends = new Map<number, number>();
    for (const { partition, highWatermark, next } of this.cursors.values()) {
      ends.set(partition, Math.max(highWatermark, next));
    }
    return ends;
  }

  /** Wakes the reader and waits for the fetches under way to end. */
  async close(): Promise<void> {
    this.endPauses.abort();
    this.wakeReaders();
    await this.reader.close();
    await Promise.all(this.fetches.values());
  }

  private get closed(): boolean {
    return this.endPauses.signal.aborted;
  }

  private follow(from: Positions): void {
    for (const partition of this.cursors.keys()) if (!from.has(partition)) this.cursors.delete(partition);
    for (const [partition, offset] of from) {
      if (!(partition >= 0 && partition < this.partitions)) {
        throw new RangeError(`partition ${partition} of a log with ${this.partitions}`);
      }
      const cursor = this.cursors.get(partition);
      if (cursor && offset >= cursor.next && offset <= cursor.fetchFrom && !cursor.truncated) {
        cursor.taken += offset - cursor.next;
        cursor.next = offset;
      } else {
        this.cursors.set(partition, newCursor(partition, offset, cursor?.highWatermark ?? 0));
      }
    }
  }

  /** Each call begins at another partition, so that a busy one cannot keep the others waiting. */
  private take(recordsMax: number): LogRecord[] {
    const cursors = [...this.cursors.values()];
    for (const { truncated } of cursors) if (truncated) throw truncated;
    const records: LogRecord[] = [];
    this.firstCursor = (this.firstCursor + 1) % Math.max(1, cursors.length);
    for (let i = 0; i < cursors.length && records.length < recordsMax; i += 1) {
      const cursor = cursors[(this.firstCursor + i) % cursors.length] as Cursor;
      while (records.length < recordsMax && cursor.taken < cursor.buffer.length) {
        records.push(cursor.buffer[cursor.taken] as LogRecord);
        cursor.taken += 1;
        cursor.next += 1;
      }
      if (cursor.taken > 0 && cursor.taken >= cursor.buffer.length) {
        cursor.buffer = [];
        cursor.taken = 0;
      }
    }
    return records;
  }

  /** Fetches what is there now from all brokers that are not being asked already. */
  private async refresh(): Promise<void> {
    const before = new Set(this.fetches.values());
    this.startFetches(0);
    const started = [...this.fetches.values()].filter((fetch) => !before.has(fetch));
    if (started.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(started), new Promise((resolve) => (timer = setTimeout(resolve, REFRESH_MS_MAX)))]);
    clearTimeout(timer);
  }

  private buffered(): number {
    let records = 0;
    for (const { buffer, taken } of this.cursors.values()) records += buffer.length - taken;
    return records;
  }

  private arrival(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timeout);
        this.waiting.delete(wake);
        resolve();
      };
      const timeout = setTimeout(wake, waitMs);
      this.waiting.add(wake);
      this.startFetches();
    });
  }

  private wakeReaders(): void {
    for (const wake of this.waiting) wake();
  }

  private somethingArrived(): boolean {
    for (const { buffer, taken, truncated } of this.cursors.values()) {
      if (truncated || taken < buffer.length) return true;
    }
    return false;
  }

  private startFetches(waitMs = FETCH_WAIT_MS): void {
    if (this.closed || this.cursors.size === 0) return;
    const leaders = this.reader.knownLeaders();
    if (!leaders) {
      this.startFetch(LEADERS, async () => {
        await this.reader.findLeaders();
      });
      return;
    }
    const empty = new Map<number, Cursor[]>();
    const filled = new Set<number>();
    for (const cursor of this.cursors.values()) {
      const leader = leaders[cursor.partition] ?? LEADERS;
      if (cursor.taken < cursor.buffer.length) filled.add(leader);
      else if (!cursor.truncated) empty.set(leader, [...(empty.get(leader) ?? []), cursor]);
    }
    for (const [leader, cursors] of empty) {
      // What is buffered will be taken soon, and then its partition is fetched again: nothing may be in its way.
      const leaderWaitMs = filled.has(leader) ? 0 : waitMs;
      this.startFetch(leader, () => this.fetch(leader, cursors, leaderWaitMs));
    }
  }

  private startFetch(place: number, work: () => Promise<void>): void {
    if (this.fetches.has(place)) return;
    const run = async (): Promise<void> => {
      try {
        await work();
        this.backoffMs = BACKOFF_MS.first;
      } catch (error) {
        if (!this.closed) this.onTrouble?.(`${this.reader.topic} cannot be read`, error);
        this.reader.forgetLeaders();
        await this.pause(this.backoffMs);
        this.backoffMs = Math.min(this.backoffMs * 2, BACKOFF_MS.longest);
      }
      this.fetches.delete(place);
      if (this.waiting.size === 0) return;
      if (this.somethingArrived()) this.wakeReaders();
      else this.startFetches();
    };
    this.fetches.set(place, run());
  }

  private async fetch(node: number, cursors: readonly Cursor[], waitMs: number): Promise<void> {
    const asked = new Map(cursors.map((cursor) => [cursor, cursor.fetchFrom]));
    const stillAsked = (cursor: Cursor): boolean =>
      this.cursors.get(cursor.partition) === cursor && cursor.fetchFrom === asked.get(cursor);
    const wanted = cursors.map(({ partition, fetchFrom }) => ({ partition, offset: fetchFrom }));
    const bounds = { waitMs, bytesMax: FETCH_BYTES_MAX, bytesPerPartitionMax: FETCH_BYTES_PER_PARTITION_MAX };
    const answers = new Map(
      (await this.reader.fetch(node, wanted, bounds)).map((answer) => [answer.partition, answer]),
    );
    const answered = cursors.filter((cursor) => stillAsked(cursor) && answers.has(cursor.partition));
    await this.findTimes(answered, answers);
    const failed: number[] = [];
    for (const cursor of answered) {
      const answer = answers.get(cursor.partition) as FetchedPartition;
      if (!stillAsked(cursor)) continue;
      if (answer.errorCode === OFFSET_OUT_OF_RANGE) await this.checkRange(cursor);
      else if (answer.errorCode !== 0) failed.push(answer.errorCode);
      else this.fill(cursor, answer);
    }
    if (failed.length > 0) throw new Error(`${failed.length} partitions answered with errors: ${failed.join(', ')}`);
  }

  /** Where reading begins in the middle of a partition, the latest time before is not known yet. */
  private async findTimes(cursors: readonly Cursor[], answers: ReadonlyMap<number, FetchedPartition>): Promise<void> {
    const starts = new Map<number, ReadingStart>();
    for (const cursor of cursors) {
      const answer = answers.get(cursor.partition);
      const first = answer?.records.find(({ offset }) => offset >= cursor.fetchFrom);
      if (cursor.latestAt !== null || !answer || !first) continue;
      if (cursor.fetchFrom <= answer.startOffset) cursor.latestAt = 0;
      else starts.set(cursor.partition, { offset: cursor.fetchFrom, at: first.at });
    }
    if (starts.size === 0) return;
    const latest = await latestTimesBefore(this.reader, starts);
    for (const cursor of cursors) cursor.latestAt ??= latest.get(cursor.partition) ?? null;
  }

  private fill(cursor: Cursor, { partition, highWatermark, startOffset, records }: FetchedPartition): void {
    cursor.highWatermark = highWatermark;
    for (const { offset, at, value, isControl } of records) {
      if (offset < cursor.fetchFrom) continue;
      if (offset > cursor.fetchFrom) {
        cursor.truncated = new LogTruncated(partition, cursor.fetchFrom, { start: startOffset, end: highWatermark });
        return;
      }
      cursor.latestAt = Math.max(cursor.latestAt ?? 0, at);
      const payload = isControl || !value ? '' : value.toString();
      const record = parseCommandRecord(payload);
      // Another partition's conversation, put here by somebody else: its owner is not this one.
      const ours = record !== null && partitionOf(record.conversationId, this.partitions) === partition;
      cursor.buffer.push({ partition, offset, at: cursor.latestAt, payload, record: ours ? record : null });
      cursor.fetchFrom = offset + 1;
    }
  }

  private async checkRange(cursor: Cursor): Promise<void> {
    const { partition, fetchFrom } = cursor;
    const { offset: start } = await this.reader.offsetAt(partition, EARLIEST);
    const { offset: end } = await this.reader.offsetAt(partition, LATEST);
    if (fetchFrom >= start && fetchFrom <= end) throw new Error(`partition ${partition} refused offset ${fetchFrom}`);
    cursor.truncated = new LogTruncated(partition, fetchFrom, { start, end });
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.endPauses;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}

function newCursor(partition: number, offset: number, highWatermark: number): Cursor {
  return {
    partition,
    next: offset,
    buffer: [],
    taken: 0,
    fetchFrom: offset,
    latestAt: null,
    highWatermark,
    truncated: null,
  };
}
