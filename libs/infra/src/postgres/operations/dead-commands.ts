import type { DeadLetter } from '@parley/domain';
import type { Pool } from 'pg';

interface Row {
  partition: number;
  offset: string;
  recorded_at: Date;
  payload: string;
  reason: string;
}

export interface CommandPlace {
  partition: number;
  offset: number;
}

/** Commands that no owner could decide. Their senders were told `internal`, and nothing else has happened. */
export class DeadCommands {
  constructor(private readonly pool: Pool) {}

  /** Oldest first. */
  async list(limit: number): Promise<DeadLetter[]> {
    const { rows } = await this.pool.query<Row>(
      `SELECT partition, "offset", recorded_at, payload, reason FROM dead_letter
       ORDER BY recorded_at, partition, "offset" LIMIT $1`,
      [limit],
    );
    return rows.map(deadLetterOf);
  }

  async find({ partition, offset }: CommandPlace): Promise<DeadLetter | null> {
    const { rows } = await this.pool.query<Row>(
      'SELECT partition, "offset", recorded_at, payload, reason FROM dead_letter WHERE partition = $1 AND "offset" = $2',
      [partition, offset],
    );
    return rows[0] ? deadLetterOf(rows[0]) : null;
  }

  /** False when there is none at that place. */
  async drop({ partition, offset }: CommandPlace): Promise<boolean> {
    const { rowCount } = await this.pool.query('DELETE FROM dead_letter WHERE partition = $1 AND "offset" = $2', [
      partition,
      offset,
    ]);
    return rowCount === 1;
  }
}

function deadLetterOf(row: Row): DeadLetter {
  const { partition, payload, reason } = row;
  return { partition, offset: Number(row.offset), at: row.recorded_at.getTime(), payload, reason };
}
