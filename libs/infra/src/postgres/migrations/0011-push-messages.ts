import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The last messages of a conversation that devices were to be told of. A row for each of 16 places, taken in turn, so that
 * nothing has to be deleted while messages come; what a conversation was silent about for a day goes by its time.
 */
export class PushMessages0011 implements MigrationInterface {
  readonly name = 'PushMessages1700000000011';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE push_shown DROP COLUMN first_seq');
    await runner.query('DROP TABLE push_message');
  }
}

const UP = [
  `CREATE TABLE push_message (
     conversation_id uuid NOT NULL,
     slot smallint NOT NULL,
     seq bigint NOT NULL,
     message_id bigint NOT NULL,
     sender_id uuid,
     content_type text COLLATE "C",
     preview text,
     sent_at timestamptz NOT NULL,
     is_deleted boolean NOT NULL DEFAULT false,
     PRIMARY KEY (conversation_id, slot)
   )`,
  'CREATE INDEX push_message_sent ON push_message (sent_at)',
  // The first message that what is shown stands for; null is the shown one alone.
  'ALTER TABLE push_shown ADD COLUMN first_seq bigint',
];
