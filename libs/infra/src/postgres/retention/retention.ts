import type { Pool } from 'pg';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface RetentionRule {
  table: 'command_log' | 'sent_key' | 'receipt_advance' | 'push_message';
  keepMs: number;
}

/**
 * What is not kept for ever: the command log outlives any outage by far in 7 days; deduplication ends at 30 days, its
 * keys stay 40 so that their going never decides; receipts' times are answered for 30 days; no notification is tried
 * for longer than a day.
 */
export const RETENTION_RULES: readonly RetentionRule[] = [
  { table: 'command_log', keepMs: 7 * DAY_MS },
  { table: 'sent_key', keepMs: 40 * DAY_MS },
  { table: 'receipt_advance', keepMs: 30 * DAY_MS },
  { table: 'push_message', keepMs: DAY_MS },
];

const ROWS_PER_STATEMENT = 2_000;
const STATEMENTS_PER_ROUND_MAX = 50;
export const RETENTION_INTERVAL_MS = 10 * 60_000;

// Each takes a bounded piece of the oldest rows, found by an index, so that no statement holds locks for long. A command
// goes only after it was decided, and the last decided one stays: by it a log is known to be the one that was left.
const DELETE_OLD: Record<RetentionRule['table'], string> = {
  command_log: `DELETE FROM command_log WHERE (partition, "offset") IN (
      SELECT l.partition, l."offset" FROM partition_progress p CROSS JOIN LATERAL (
        SELECT * FROM command_log WHERE partition = p.partition ORDER BY "offset" LIMIT $2) AS l
      WHERE l.recorded_at < $1 AND l."offset" < p.next_offset - 1)`,
  sent_key: `DELETE FROM sent_key WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM sent_key WHERE sent_at < $1 LIMIT $2))`,
  receipt_advance: `DELETE FROM receipt_advance WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM receipt_advance WHERE at < $1 LIMIT $2))`,
  push_message: `DELETE FROM push_message WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM push_message WHERE sent_at < $1 LIMIT $2))`,
};

/** Deletes what has outlived its time, in small pieces, every ten minutes. */
export class Retention {
  private timer: NodeJS.Timeout | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopping = false;

  constructor(
    private readonly pool: Pool,
    private readonly onTrouble: (error: unknown) => void,
    private readonly rules: readonly RetentionRule[] = RETENTION_RULES,
  ) {}

  start(): void {
    this.timer = setInterval(() => {
      this.running = this.running.then(() => this.round(Date.now()).then(() => {}, this.onTrouble));
    }, RETENTION_INTERVAL_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.timer) clearInterval(this.timer);
    await this.running;
  }

  /** One round over all tables; answers how many rows went. What is left over goes in the next round. */
  async round(nowMs: number): Promise<number> {
    let deleted = 0;
    for (const { table, keepMs } of this.rules) {
      const before = new Date(nowMs - keepMs);
      for (let statement = 0; statement < STATEMENTS_PER_ROUND_MAX && !this.stopping; statement++) {
        const { rowCount } = await this.pool.query(DELETE_OLD[table], [before, ROWS_PER_STATEMENT]);
        deleted += rowCount ?? 0;
        if (!rowCount) break;
      }
    }
    return deleted;
  }
}
