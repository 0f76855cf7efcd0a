import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Members in the order in which they joined, for pages and for the first ones that a conversation shows. None of its
 * columns changes with a mark, so those updates stay on their page. Neither a partial index nor one on the user's id as
 * it is (its bytes sort alike): on a table without statistics the planner then searched all of it for one user's rows.
 */
export class MemberOrder0003 implements MigrationInterface {
  readonly name = 'MemberOrder1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE INDEX conversation_member_joined ON conversation_member (conversation_id, joined_at, uuid_send(user_id))',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX conversation_member_joined');
  }
}
