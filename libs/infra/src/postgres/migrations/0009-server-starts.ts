import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Each start of a process, by which positions of a time that was lost by a restore are told from others. */
export class ServerStarts0009 implements MigrationInterface {
  readonly name = 'ServerStarts1700000000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE server_start (
         label text PRIMARY KEY,
         start_number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
         xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
         started_at timestamptz NOT NULL DEFAULT clock_timestamp()
       )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE server_start');
  }
}
