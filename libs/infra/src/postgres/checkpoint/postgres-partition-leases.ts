import { LEASE_MS, PartitionLeases, type PartitionProgress, type WorkerStanding } from '@parley/domain';
import type { Pool } from 'pg';
import { storeAnswer } from '../store-answer.js';
import { type ProgressRow, progressOf } from './postgres-checkpoint.js';

/** Rows of workers that were not heard of for so long are nobody's any more. */
const FORGOTTEN_AFTER = "interval '1 hour'";

// clock_timestamp(), not now(): the statement may have waited for another's lock since its transaction began.
const LEASE_END = 'clock_timestamp() + make_interval(secs => $2::double precision / 1000)';

// As a subquery of the join the planner may scan it once for each row, and the limit would count anew each time.
const CLAIM = `WITH free AS MATERIALIZED (
   SELECT partition FROM partition_progress
   WHERE partition = ANY ($3::smallint[])
     AND ($4 OR owner IS NULL OR lease_until IS NULL OR lease_until < clock_timestamp())
   ORDER BY partition LIMIT $5 FOR UPDATE)
 UPDATE partition_progress p
 SET owner = $1, epoch = p.epoch + 1, lease_until = ${LEASE_END}
 FROM free
 WHERE p.partition = free.partition
 RETURNING p.partition, p.epoch, p.next_offset, p.clock_ms, p.clock_counter, p.last_record_hash`;

const RENEW = `UPDATE partition_progress p SET lease_until = ${LEASE_END}
 FROM (SELECT partition FROM partition_progress WHERE owner = $1 AND lease_until >= clock_timestamp()
       ORDER BY partition FOR UPDATE) AS held
 WHERE p.partition = held.partition RETURNING p.partition`;

const RELEASE = `UPDATE partition_progress p SET owner = NULL, lease_until = NULL
 FROM (SELECT partition FROM partition_progress WHERE owner = $1 AND ($2::smallint[] IS NULL OR partition = ANY ($2))
       ORDER BY partition FOR UPDATE) AS held
 WHERE p.partition = held.partition`;

// Who comes back after its time has joined anew: others have its partitions by now.
const ATTEND = `INSERT INTO pipeline_worker AS w (owner, joined_at, alive_until)
 VALUES ($1, clock_timestamp(), ${LEASE_END})
 ON CONFLICT (owner) DO UPDATE SET alive_until = excluded.alive_until,
   joined_at = CASE WHEN w.alive_until < clock_timestamp() THEN excluded.joined_at ELSE w.joined_at END`;

const STANDING = `SELECT count(*)::int AS workers,
   (count(*) FILTER (WHERE (w.joined_at, w.owner) < (own.joined_at, own.owner)))::int AS rank
 FROM pipeline_worker w, (SELECT joined_at, owner FROM pipeline_worker WHERE owner = $1) AS own
 WHERE w.alive_until >= clock_timestamp()`;

/** Leases as columns beside the progress that they guard, timed by the database's clock alone. */
export class PostgresPartitionLeases extends PartitionLeases {
  /** @param leaseMs how long a lease lasts that is not renewed */
  constructor(
    private readonly pool: Pool,
    private readonly leaseMs = LEASE_MS,
  ) {
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

  override async attend(owner: string): Promise<WorkerStanding> {
    return storeAnswer(async () => {
      await this.pool.query(ATTEND, [owner, this.leaseMs]);
      const { rows } = await this.pool.query<WorkerStanding>(STANDING, [owner]);
      return rows[0] ?? { workers: 1, rank: 0 };
    });
  }

  override async claim(
    owner: string,
    partitions: readonly number[],
    exclusive: boolean,
    partitionsMax = partitions.length,
  ): Promise<PartitionProgress[]> {
    const values = [owner, this.leaseMs, partitions, exclusive, partitionsMax];
    const { rows } = await storeAnswer(() => this.pool.query<ProgressRow>(CLAIM, values));
    return rows.map(progressOf);
  }

  override async renew(owner: string): Promise<number[]> {
    const { rows } = await storeAnswer(() => this.pool.query<{ partition: number }>(RENEW, [owner, this.leaseMs]));
    return rows.map(({ partition }) => partition);
  }

  override async release(owner: string, partitions: readonly number[]): Promise<void> {
    await storeAnswer(() => this.pool.query(RELEASE, [owner, partitions]));
  }

  override async leave(owner: string): Promise<void> {
    await storeAnswer(async () => {
      await this.pool.query(RELEASE, [owner, null]);
      await this.pool.query(
        `DELETE FROM pipeline_worker WHERE owner = $1 OR alive_until < clock_timestamp() - ${FORGOTTEN_AFTER}`,
        [owner],
      );
    });
  }
}
