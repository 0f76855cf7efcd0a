import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The pipeline's tables. Rows that every message rewrites (conversation, conversation_member, partition_progress) have
 * no index on a column that changes and room on their pages, so that their updates stay on the page (HOT).
 */
export class Conversations0002 implements MigrationInterface {
  readonly name = 'Conversations1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
    await runner.query('DROP FUNCTION parley_refuse(text)');
  }
}

const TABLES = [
  'dead_letter',
  'receipt_advance',
  'event_stream',
  'command_log',
  'sent_key',
  'message',
  'conversation_member',
  'conversation',
  'partition_progress',
];

const UP = [
  // Ends a statement that must not take effect; its message says why.
  `CREATE FUNCTION parley_refuse(reason text) RETURNS bigint LANGUAGE plpgsql AS $$
   BEGIN RAISE EXCEPTION USING ERRCODE = 'PY001', MESSAGE = reason; END $$`,

  `CREATE TABLE partition_progress (
     partition smallint PRIMARY KEY,
     next_offset bigint NOT NULL DEFAULT 0,
     owner text,
     epoch bigint NOT NULL DEFAULT 0,
     lease_until timestamptz,
     clock_ms bigint NOT NULL DEFAULT 0,
     clock_counter smallint NOT NULL DEFAULT 0,
     last_record_hash text
   ) WITH (fillfactor = 10)`,

  `CREATE TABLE conversation (
     conversation_id uuid PRIMARY KEY,
     type text COLLATE "C" NOT NULL,
     name text,
     created_at timestamptz NOT NULL,
     created_by uuid NOT NULL,
     last_seq bigint NOT NULL,
     last_rev bigint NOT NULL,
     membership_epoch bigint NOT NULL,
     member_count integer NOT NULL,
     last_activity_at timestamptz NOT NULL,
     last_message_id bigint,
     last_sender_id uuid,
     last_preview text,
     last_content_type text COLLATE "C",
     last_message_at timestamptz,
     last_message_deleted boolean,
     changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id()
   ) WITH (fillfactor = 50)`,

  // A row stays as a tombstone (removed_at) when its member leaves, so that sync can tell.
  `CREATE TABLE conversation_member (
     conversation_id uuid NOT NULL,
     user_id uuid NOT NULL,
     role text COLLATE "C" NOT NULL,
     joined_at timestamptz NOT NULL,
     visible_from_seq bigint NOT NULL,
     read_seq bigint NOT NULL,
     read_message_id bigint,
     delivered_seq bigint NOT NULL,
     delivered_message_id bigint,
     muted_until timestamptz,
     pinned boolean NOT NULL,
     archived boolean NOT NULL,
     removed_at timestamptz,
     changed_xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
     PRIMARY KEY (conversation_id, user_id)
   ) WITH (fillfactor = 50)`,
  'CREATE INDEX conversation_member_user ON conversation_member (user_id)',

  `CREATE TABLE message (
     conversation_id uuid NOT NULL,
     seq bigint NOT NULL,
     message_id bigint NOT NULL,
     rev bigint NOT NULL,
     sender_id uuid NOT NULL,
     content text NOT NULL,
     content_type text COLLATE "C" NOT NULL,
     client_msg_id text COLLATE "C" NOT NULL,
     sent_at timestamptz NOT NULL,
     media text,
     reply_to_message_id bigint,
     edited_at timestamptz,
     deleted_at timestamptz,
     reactions text,
     changed boolean NOT NULL,
     PRIMARY KEY (conversation_id, seq)
   )`,
  // Ids grow with time, so this index grows at its right edge: a cheap second door.
  'CREATE UNIQUE INDEX message_by_id ON message (message_id)',
  'CREATE INDEX message_changes ON message (conversation_id, rev) WHERE changed',

  `CREATE TABLE sent_key (
     conversation_id uuid NOT NULL,
     sender_id uuid NOT NULL,
     client_msg_id text COLLATE "C" NOT NULL,
     message_id bigint NOT NULL,
     seq bigint NOT NULL,
     rev bigint NOT NULL,
     sent_at timestamptz NOT NULL,
     request_hash text COLLATE "C" NOT NULL,
     PRIMARY KEY (conversation_id, sender_id, client_msg_id)
   )`,
  'CREATE INDEX sent_key_time ON sent_key USING brin (sent_at)',

  `CREATE TABLE command_log (
     partition smallint NOT NULL,
     "offset" bigint NOT NULL,
     recorded_at timestamptz NOT NULL,
     payload text NOT NULL,
     PRIMARY KEY (partition, "offset")
   )`,

  `CREATE TABLE event_stream (
     partition smallint NOT NULL,
     "offset" bigint NOT NULL,
     index integer NOT NULL,
     conversation_id uuid NOT NULL,
     recorded_at timestamptz NOT NULL,
     payload text NOT NULL,
     PRIMARY KEY (partition, "offset", index)
   )`,

  // Marks that moved in one batch, folded into one row for each conversation: parallel arrays, seq 0 = did not move.
  `CREATE TABLE receipt_advance (
     conversation_id uuid NOT NULL,
     at timestamptz NOT NULL,
     advance_id bigint GENERATED ALWAYS AS IDENTITY,
     user_ids uuid[] NOT NULL,
     delivered_seqs bigint[] NOT NULL,
     read_seqs bigint[] NOT NULL,
     PRIMARY KEY (conversation_id, at, advance_id)
   )`,

  `CREATE TABLE dead_letter (
     partition smallint NOT NULL,
     "offset" bigint NOT NULL,
     recorded_at timestamptz NOT NULL,
     payload text NOT NULL,
     reason text NOT NULL,
     PRIMARY KEY (partition, "offset")
   )`,
];
