import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who works on the partitions: beside the leases, so that one clock tells who lives and how many share. */
export class PipelineWorkers0004 implements MigrationInterface {
  readonly name = 'PipelineWorkers1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE pipeline_worker (
         owner text PRIMARY KEY,
         joined_at timestamptz NOT NULL,
         alive_until timestamptz NOT NULL
       ) WITH (fillfactor = 50)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE pipeline_worker');
  }
}
