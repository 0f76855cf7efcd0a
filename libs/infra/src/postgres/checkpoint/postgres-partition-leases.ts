import { LEASE_MS, PartitionLeases, type PartitionProgress } from '@parley/domain';
import type { Pool } from 'pg';
import { type ProgressRow, progressOf } from './postgres-checkpoint.js';

/** Leases as columns beside the progress that they guard, timed by the database's clock alone. */
export class PostgresPartitionLeases extends PartitionLeases {
  constructor(private readonly pool: Pool) {
    super();
  }

  /**
   * Makes the partitions when the database has none yet; their number is fixed for life, so what is there wins over
   * what is asked for. Answers that number.
   */
  async ensurePartitions(count: number): Promise<number> {
    await this.pool.query(
      `INSERT INTO partition_progress (partition)
       SELECT generate_series(0, $1::int - 1) WHERE NOT EXISTS (SELECT FROM partition_progress)
       ON CONFLICT DO NOTHING`,
      [count],
    );
    const { rows } = await this.pool.query<{ count: string }>('SELECT count(*) FROM partition_progress');
    return Number(rows[0]?.count);
  }

  override async claim(owner: string, partitions: readonly number[], exclusive: boolean): Promise<PartitionProgress[]> {
    const { rows } = await this.pool.query<ProgressRow>(
      `UPDATE partition_progress p
       SET owner = $1, epoch = p.epoch + 1, lease_until = now() + make_interval(secs => $4::double precision / 1000)
       FROM (SELECT partition FROM partition_progress WHERE partition = ANY ($2::smallint[])
             ORDER BY partition FOR UPDATE) AS wanted
       WHERE p.partition = wanted.partition
         AND ($3 OR p.owner IS NULL OR p.lease_until IS NULL OR p.lease_until < now())
       RETURNING p.partition, p.epoch, p.next_offset, p.clock_ms, p.clock_counter, p.last_record_hash`,
      [owner, partitions, exclusive, LEASE_MS],
    );
    return rows.map(progressOf);
  }

  override async renew(owner: string): Promise<number[]> {
    const { rows } = await this.pool.query<{ partition: number }>(
      `UPDATE partition_progress p SET lease_until = now() + make_interval(secs => $2::double precision / 1000)
       FROM (SELECT partition FROM partition_progress WHERE owner = $1 AND lease_until >= now()
             ORDER BY partition FOR UPDATE) AS held
       WHERE p.partition = held.partition RETURNING p.partition`,
      [owner, LEASE_MS],
    );
    return rows.map(({ partition }) => partition);
  }

  override async release(owner: string): Promise<void> {
    await this.pool.query('UPDATE partition_progress SET owner = NULL, lease_until = NULL WHERE owner = $1', [owner]);
  }
}
