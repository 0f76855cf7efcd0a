import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Where each partition of the command log ends, when several processes append to it: whoever appends locks the row, so
 * offsets are given in the order of commits. Space for updates on the page, as every append makes one.
 */
export class CommandLogEnd0005 implements MigrationInterface {
  readonly name = 'CommandLogEnd1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE command_log_end (
         partition smallint PRIMARY KEY,
         next_offset bigint NOT NULL,
         last_at timestamptz NOT NULL
       ) WITH (fillfactor = 10)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE command_log_end');
  }
}
