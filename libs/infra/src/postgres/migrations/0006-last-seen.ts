import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When the last device of each user went. Beside the users, whose rows are wide and indexed; here an update changes no
 * index, and finds its place on the page.
 */
export class LastSeen0006 implements MigrationInterface {
  readonly name = 'LastSeen1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE user_last_seen (
         user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
         seen_at timestamptz NOT NULL
       ) WITH (fillfactor = 70)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE user_last_seen');
  }
}
