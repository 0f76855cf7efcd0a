import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The membership epoch of each member's latest join, by which live delivery tells what happened before it. 0 for those who
 * joined before this was kept: whatever is broadcast by then happened after.
 */
export class JoinedEpoch0010 implements MigrationInterface {
  readonly name = 'JoinedEpoch1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE conversation_member ADD COLUMN joined_epoch bigint NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE conversation_member DROP COLUMN joined_epoch');
  }
}
