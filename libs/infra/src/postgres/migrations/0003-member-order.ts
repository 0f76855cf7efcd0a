import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Members in the order in which they joined, for pages and for the first ones that a conversation shows. None of its
 * columns changes with a mark, so those updates stay on their page.
 */
export class MemberOrder0003 implements MigrationInterface {
  readonly name = 'MemberOrder1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX conversation_member_joined ON conversation_member (conversation_id, joined_at, user_id)
       WHERE removed_at IS NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX conversation_member_joined');
  }
}
