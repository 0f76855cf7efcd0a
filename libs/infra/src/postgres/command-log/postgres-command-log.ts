import {
  CommandLog,
  type CommandRecord,
  type LogRecord,
  LogTruncated,
  parseCommandRecord,
  partitionOf,
  type Positions,
} from '@parley/domain';
import type { Pool } from 'pg';
import { isStoreUnavailable, storeAnswer } from '../store-answer.js';
import { AppendQueue, type AppendedRecord } from './append-queue.js';
import { LOG_CHANNEL, LogNotices } from './log-notices.js';

export interface PostgresCommandLogOptions {
  pool: Pool;
  /** The same database, for the connection that hears of appends. */
  url: string;
  partitions: number;
  /** Records that may wait to be appended; one more is refused as `overloaded`. */
  pendingRecordsMax: number;
  /** Told of failures that the log lives through. */
  onTrouble?: (what: string, error: unknown) => void;
}

/** One answer holds no more, unless its first record does. */
export const READ_BYTES_MAX = 8_000_000;
/** How often a reader looks while nothing would tell it. */
const UNTOLD_POLL_MS = 25;
const READ_TROUBLE_PAUSE_MS = 200;

// The rows of a batch's partitions are locked in one order by everybody, and held until the commit: an offset is seen
// only after all before it. The time is taken under the lock and never goes back, whatever the clock does.
const APPEND = `WITH input AS (
   SELECT * FROM unnest($1::smallint[], $2::int[], $3::text[]) AS i(partition, place, payload)
 ), counts AS (
   SELECT partition, count(*) AS records FROM input GROUP BY partition
 ), locked AS (
   SELECT e.partition, c.records FROM command_log_end e JOIN counts c USING (partition)
   ORDER BY e.partition FOR UPDATE OF e
 ), ends AS (
   UPDATE command_log_end e SET next_offset = e.next_offset + l.records,
     last_at = greatest(e.last_at, date_trunc('milliseconds', clock_timestamp()))
   FROM locked l WHERE e.partition = l.partition
   RETURNING e.partition, e.next_offset - l.records AS first_offset, e.last_at
 ), written AS (
   INSERT INTO command_log (partition, "offset", recorded_at, payload)
   SELECT i.partition, e.first_offset + i.place, e.last_at, i.payload FROM input i JOIN ends e USING (partition)
   RETURNING partition
 )
 SELECT (SELECT count(*)::int FROM written) AS written,
   pg_notify('${LOG_CHANNEL}', (SELECT string_agg(partition::text, ',') FROM counts))`;

// As many rows as fit, in the order of the partitions that were asked for; the sums run over them in that order.
const READ = `SELECT partition, "offset", at, payload FROM (
   SELECT l.*, sum(octet_length(l.payload)) OVER (ROWS UNBOUNDED PRECEDING) - octet_length(l.payload) AS bytes_before
   FROM (
     SELECT c.* FROM unnest($1::smallint[], $2::bigint[]) AS f(partition, from_offset) CROSS JOIN LATERAL (
       SELECT partition, "offset", (extract(epoch FROM recorded_at) * 1000)::bigint AS at, payload FROM command_log
       WHERE partition = f.partition AND "offset" >= f.from_offset ORDER BY "offset" LIMIT $3) AS c
     LIMIT $3) AS l
 ) AS counted WHERE bytes_before < $4`;

const AT = `SELECT l.partition, l.payload FROM unnest($1::smallint[], $2::bigint[]) AS f(partition, at)
 JOIN command_log l ON l.partition = f.partition AND l."offset" = f.at`;

const RANGES = `SELECT e.partition, e.next_offset AS "end", coalesce(
   (SELECT min("offset") FROM command_log l WHERE l.partition = e.partition), e.next_offset) AS start
 FROM command_log_end e WHERE e.partition = ANY ($1::smallint[])`;

// What the embedded profile journaled into the same table counts: its offsets are given, its times have been.
const PREPARE = `INSERT INTO command_log_end AS e (partition, next_offset, last_at)
 SELECT p.partition, greatest(p.next_offset, l."offset" + 1), coalesce(l.recorded_at, 'epoch')
 FROM partition_progress p LEFT JOIN LATERAL (
   SELECT "offset", recorded_at FROM command_log WHERE partition = p.partition ORDER BY "offset" DESC LIMIT 1) AS l ON true
 ORDER BY p.partition
 ON CONFLICT (partition) DO UPDATE SET next_offset = greatest(e.next_offset, excluded.next_offset),
   last_at = greatest(e.last_at, excluded.last_at)
 WHERE excluded.next_offset > e.next_offset`;

type ReadRow = [partition: number, offset: string, at: string, payload: string];

/**
 * The command log as a table that several processes append to and read from. A record is durable when its append
 * resolves. The table is the embedded profile's journal, so a database goes from one to the other as it is.
 */
export class PostgresCommandLog extends CommandLog {
  override readonly durableAt = 'append';
  override readonly partitions: number;
  private readonly pool: Pool;
  private readonly queue: AppendQueue;
  private readonly notices: LogNotices;
  /** Where reading goes on: an offset that is asked for and is not this one is looked up in the log first. */
  private readonly readOn = new Map<number, number>();
  private firstPartition = 0;
  private behind = 0;
  private lastEnds: Positions = new Map();

  private constructor(private readonly options: PostgresCommandLogOptions) {
    super();
    this.pool = options.pool;
    this.partitions = options.partitions;
    this.notices = new LogNotices(options.url);
    this.queue = new AppendQueue({
      write: (records, withinMs) => this.write(records, withinMs),
      recordsMax: options.pendingRecordsMax,
      ...(options.onTrouble && { onTrouble: options.onTrouble }),
    });
  }

  /** Opens the log of a migrated database whose partitions are there. @throws when it cannot be reached */
  static async open(options: PostgresCommandLogOptions): Promise<PostgresCommandLog> {
    await options.pool.query(PREPARE);
    return new PostgresCommandLog(options);
  }

  /** Waits for what is being appended, for seconds at most. Readers that wait are answered. */
  async close(): Promise<void> {
    await this.queue.close();
    await this.notices.close();
  }

  override append(records: readonly CommandRecord[]): Promise<void> {
    return this.queue.append(
      records.map((record) => ({
        partition: partitionOf(record.conversationId, this.partitions),
        payload: JSON.stringify(record),
      })),
    );
  }

  /** Appended is appended. */
  override withdraw(): boolean {
    return false;
  }

  override async read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]> {
    const until = performance.now() + waitMs;
    for (;;) {
      const seen = this.notices.heard;
      try {
        await this.refuseTruncated([...from].filter(([partition, offset]) => this.readOn.get(partition) !== offset));
        const records = await this.select(from, recordsMax);
        const restMs = until - performance.now();
        if (records.length > 0 || restMs <= 0) return records;
        await this.notices.wait(from, seen, this.notices.listening ? restMs : Math.min(restMs, UNTOLD_POLL_MS));
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        this.options.onTrouble?.('the command log cannot be read', error);
        const restMs = until - performance.now();
        if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(restMs, READ_TROUBLE_PAUSE_MS)));
        else return [];
      }
    }
  }

  override async payloadsAt(places: Positions): Promise<ReadonlyMap<number, string>> {
    for (const { partition, start, end } of await this.ranges([...places.keys()])) {
      const offset = places.get(partition) ?? start;
      if (offset >= end) throw new LogTruncated(partition, offset, { start, end });
    }
    const values = [[...places.keys()], [...places.values()]];
    const { rows } = await storeAnswer(() => this.pool.query<{ partition: number; payload: string }>(AT, values));
    return new Map(rows.map(({ partition, payload }) => [partition, payload]));
  }

  /** Nothing is kept in memory; what is old and decided goes by the retention. */
  override committed(): void {}

  override lag(): number {
    return this.behind;
  }

  override ends(): Positions {
    return this.lastEnds;
  }

  private async write(records: readonly AppendedRecord[], withinMs: number): Promise<void> {
    const places = new Map<number, number>();
    const place = ({ partition }: AppendedRecord): number => {
      const next = places.get(partition) ?? 0;
      places.set(partition, next + 1);
      return next;
    };
    const columns = [records.map(({ partition }) => partition), records.map(place), records.map((r) => r.payload)];
    const { rows } = await storeAnswer(
      () => this.pool.query<{ written: number }>({ name: 'log_append', text: APPEND, values: columns }),
      withinMs,
    );
    if (rows[0]?.written !== records.length) throw new Error('A partition of the command log does not exist');
  }

  /** Each call begins at another partition, so that a busy one cannot keep the others waiting. */
  private async select(from: Positions, recordsMax: number): Promise<LogRecord[]> {
    const places = [...from];
    this.firstPartition = (this.firstPartition + 1) % Math.max(1, places.length);
    places.push(...places.splice(0, this.firstPartition));
    const values = [places.map(([p]) => p), places.map(([, offset]) => offset), recordsMax, READ_BYTES_MAX];
    const { rows } = await storeAnswer(() =>
      this.pool.query<ReadRow>({ name: 'log_read', text: READ, values, rowMode: 'array' }),
    );
    const records = rows.map(([partition, offset, at, payload]): LogRecord => ({
      partition,
      offset: Number(offset),
      at: Number(at),
      payload,
      record: parseCommandRecord(payload),
    }));
    const next = new Map(from);
    for (const { partition, offset } of records) {
      if (offset !== next.get(partition)) await this.refuseTruncated([[partition, next.get(partition) ?? 0]]);
      next.set(partition, offset + 1);
    }
    for (const [partition, offset] of next) this.readOn.set(partition, offset);
    this.lastEnds = rows.length < recordsMax && this.isSmall(rows) ? next : await this.findEnds(next);
    this.behind = 0;
    for (const [partition, end] of this.lastEnds) this.behind += end - (next.get(partition) ?? end);
    return records;
  }

  /** False when the bound of bytes may have cut the answer. */
  private isSmall(rows: readonly ReadRow[]): boolean {
    return rows.reduce((chars, row) => chars + row[3].length, 0) * 3 < READ_BYTES_MAX;
  }

  private async findEnds(next: Positions): Promise<Positions> {
    return new Map((await this.ranges([...next.keys()])).map(({ partition, end }) => [partition, end]));
  }

  private async refuseTruncated(places: readonly (readonly [number, number])[]): Promise<void> {
    if (places.length === 0) return;
    const wanted = new Map(places);
    for (const { partition, start, end } of await this.ranges([...wanted.keys()])) {
      const offset = wanted.get(partition) ?? start;
      if (offset < start || offset > end) throw new LogTruncated(partition, offset, { start, end });
    }
  }

  private async ranges(partitions: number[]): Promise<{ partition: number; start: number; end: number }[]> {
    const { rows } = await storeAnswer(() =>
      this.pool.query<{ partition: number; start: string; end: string }>(RANGES, [partitions]),
    );
    return rows.map(({ partition, start, end }) => ({ partition, start: Number(start), end: Number(end) }));
  }
}

function isUnavailable(error: unknown): boolean {
  return isStoreUnavailable(error) || (error as { code?: unknown }).code === 'store_unavailable';
}
