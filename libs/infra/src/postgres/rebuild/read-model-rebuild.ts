import { type EventStream, type MessageStore, partitionOf, type ReplayCount, StreamReplay } from '@parley/domain';
import { RebuildTables } from './rebuild-tables.js';
import { type RowCounts, RebuiltRows } from './rebuilt-rows.js';

const DAY_MS = 86_400_000;
/** As long as the live ones are kept. */
const RECEIPTS_KEPT_DAYS = 30;
/** Conversations that are put in their place at a time, of all partitions. */
const PAGE_CONVERSATIONS = 5_000;
/** While a partition's progress is held its owner waits, and after 8 s it would lose its lease. */
const HELD_MS_MAX = 4_000;
const LOCK_WAIT_MS_MAX = 3_000;
const TRIES_MAX = 10;
const UNKNOWN_SHOWN_MAX = 1_000;
const SMALLEST_UUID = '00000000-0000-0000-0000-000000000000';

export interface ReadModelRebuildOptions {
  databaseUrl: string;
  stream: EventStream;
  partitions: number;
  /** Where messages are appended again as well; null rebuilds the tables alone. */
  store: MessageStore | null;
  /** One conversation instead of all. */
  conversationId?: string | undefined;
  /** Says what differs and changes nothing but the copies, and what `store` lacks. */
  checkOnly?: boolean;
  onProgress?: (sentence: string) => void;
}

export interface RebuildReport extends ReplayCount, RowCounts {
  /** An earlier rebuild was broken off, and this one went on where it was. */
  resumed: boolean;
  /** Live conversations of which the stream tells nothing (1,000 at most): they stay as they are. */
  unknownToStream: number;
}

/** The owner of a partition works on, and the copies did not catch up while it was held. */
class CatchUpTooSlow extends Error {}

/**
 * Makes the read models anew from the event stream, beside the live ones and while they are used, and then puts what
 * differs in its place: a partition at a time, with its progress held, so that the rows are those of one moment. Where
 * something changed, the epoch moves: the owner is fenced, forgets what it has in memory and reads it again.
 *
 * Broken off, it goes on where it was. Run again, it finds nothing to do.
 */
export class ReadModelRebuild {
  private readonly replay: StreamReplay;
  private readonly receiptsSince = new Date(Date.now() - RECEIPTS_KEPT_DAYS * DAY_MS);
  private readonly counts: RowCounts = { conversations: 0, members: 0, strangers: 0, receipts: 0, mediaUses: 0 };

  private constructor(
    private readonly options: ReadModelRebuildOptions,
    private readonly tables: RebuildTables,
    private readonly rows: RebuiltRows,
  ) {
    const { stream, store, conversationId } = options;
    const receiptsSince = this.receiptsSince.getTime();
    this.replay = new StreamReplay({
      stream,
      store,
      conversationId,
      receiptsSince,
      checkpoint: tables.checkpoint,
      notedMediaUses: (messageIds) => tables.notedMediaUses(messageIds),
    });
  }

  /** @throws RebuildUnderWay; what stream, store or database throw: run again, it goes on from there */
  static async run(options: ReadModelRebuildOptions): Promise<RebuildReport> {
    const { databaseUrl, partitions, conversationId, store } = options;
    const tables = await RebuildTables.open(databaseUrl, { partitions, conversationId, messages: store !== null });
    try {
      const rows = await RebuiltRows.of(tables.live, tables.liveSchema);
      const rebuild = new ReadModelRebuild(options, tables, rows);
      const unknownToStream = await rebuild.all();
      await tables.drop();
      return { ...rebuild.replay.count, ...rebuild.counts, resumed: tables.resumed, unknownToStream };
    } finally {
      await tables.close();
    }
  }

  private async all(): Promise<number> {
    const { conversationId, partitions, onProgress } = this.options;
    const wanted =
      conversationId === undefined
        ? Array.from({ length: partitions }, (_, partition) => partition)
        : [partitionOf(conversationId, partitions)];
    if (this.tables.resumed) onProgress?.('Goes on where an earlier rebuild was broken off.');
    for (const partition of wanted) {
      await this.replay.advance(partition, await this.committedOffset(partition));
      onProgress?.(`Partition ${partition}: the stream is replayed; ${this.replay.count.events} events so far.`);
    }
    await this.replaceAll();
    return conversationId === undefined ? this.unknown(wanted) : 0;
  }

  private async replaceAll(): Promise<void> {
    for (let after = SMALLEST_UUID; ;) {
      const ids = await this.rows.differing(after, PAGE_CONVERSATIONS, this.receiptsSince);
      const byPartition = Map.groupBy(ids, (id) => partitionOf(id, this.options.partitions));
      for (const [partition, some] of byPartition) await this.replaceHeld(partition, some);
      const last = ids.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  private async replaceHeld(partition: number, conversationIds: readonly string[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const counts = await this.tryReplace(partition, conversationIds);
        for (const name of Object.keys(counts) as (keyof RowCounts)[]) this.counts[name] += counts[name];
        return;
      } catch (error) {
        await this.tables.live.query('ROLLBACK');
        if (!(error instanceof CatchUpTooSlow) || tries >= TRIES_MAX) throw error;
      }
    }
  }

  private async tryReplace(partition: number, conversationIds: readonly string[]): Promise<RowCounts> {
    const { live } = this.tables;
    const until = performance.now() + HELD_MS_MAX;
    // Most of what came meanwhile, before anybody has to wait.
    await this.replay.advance(partition, await this.committedOffset(partition));
    await live.query(
      `BEGIN; SET LOCAL lock_timeout = ${LOCK_WAIT_MS_MAX}; SET LOCAL statement_timeout = ${HELD_MS_MAX}`,
    );
    await this.replay.advance(partition, await this.committedOffset(partition, 'FOR UPDATE'));
    if (performance.now() > until) throw new CatchUpTooSlow(`partition ${partition} moves faster than it is replayed`);
    const counts = await this.rows.replace(conversationIds, this.receiptsSince);
    if (this.options.checkOnly) {
      await live.query('ROLLBACK');
      return counts;
    }
    if (counts.conversations + counts.members + counts.strangers > 0) {
      await live.query(
        `UPDATE ${this.tables.liveSchema}.partition_progress SET epoch = epoch + 1, owner = NULL, lease_until = NULL
         WHERE partition = $1`,
        [partition],
      );
    }
    await live.query('COMMIT');
    return counts;
  }

  /** Conversations that were made since the stream was read are found in what came meanwhile. */
  private async unknown(partitions: readonly number[]): Promise<number> {
    const before = new Set(await this.rows.unknownToStream(UNKNOWN_SHOWN_MAX));
    if (before.size === 0) return 0;
    for (const partition of partitions) {
      await this.replay.advance(partition, await this.committedOffset(partition));
    }
    const still = await this.rows.unknownToStream(UNKNOWN_SHOWN_MAX);
    return still.filter((id) => before.has(id)).length;
  }

  private async committedOffset(partition: number, lock: 'FOR UPDATE' | '' = ''): Promise<number> {
    const { rows } = await this.tables.live.query<{ next_offset: string }>(
      `SELECT next_offset FROM ${this.tables.liveSchema}.partition_progress WHERE partition = $1 ${lock}`,
      [partition],
    );
    if (!rows[0]) throw new Error(`partition ${partition} does not exist`);
    return Number(rows[0].next_offset);
  }
}
