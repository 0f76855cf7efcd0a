import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Progress of the durable event handlers and the events that they hold back or gave up; devices, what is to be pushed to
 * them, and what they show. Rows that are written all the time have no index on what changes, and room on their pages.
 */
export class DevicesAndHandlers0007 implements MigrationInterface {
  readonly name = 'DevicesAndHandlers1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}

const TABLES = [
  'push_shown',
  'push_outbox',
  'user_devices',
  'event_handler_held',
  'event_handler_worker',
  'event_handler_progress',
];

const UP = [
  `CREATE TABLE event_handler_progress (
     handler text COLLATE "C" NOT NULL,
     partition smallint NOT NULL,
     position_offset bigint NOT NULL,
     position_index integer NOT NULL,
     owner text,
     epoch bigint NOT NULL DEFAULT 0,
     lease_until timestamptz,
     PRIMARY KEY (handler, partition)
   ) WITH (fillfactor = 10)`,

  `CREATE TABLE event_handler_worker (
     handler text COLLATE "C" NOT NULL,
     owner text NOT NULL,
     joined_at timestamptz NOT NULL,
     alive_until timestamptz NOT NULL,
     PRIMARY KEY (handler, owner)
   ) WITH (fillfactor = 50)`,

  // Events whose handling failed, with those that wait behind them (dead = false), and those that were given up.
  `CREATE TABLE event_handler_held (
     handler text COLLATE "C" NOT NULL,
     partition smallint NOT NULL,
     "offset" bigint NOT NULL,
     index integer NOT NULL,
     conversation_id uuid NOT NULL,
     recorded_at timestamptz NOT NULL,
     payload text NOT NULL,
     dead boolean NOT NULL,
     late boolean NOT NULL DEFAULT false,
     attempts integer NOT NULL,
     next_attempt_at timestamptz NOT NULL,
     last_error text,
     PRIMARY KEY (handler, partition, "offset", index)
   )`,

  `CREATE TABLE user_devices (
     user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
     device_id uuid NOT NULL,
     platform text COLLATE "C" NOT NULL,
     provider text COLLATE "C" NOT NULL,
     push_token text NOT NULL,
     token_hash bytea NOT NULL,
     created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (user_id, device_id),
     CONSTRAINT user_devices_token UNIQUE (provider, token_hash)
   )`,

  // What a device is to be told of a conversation: the latest of it, once.
  `CREATE TABLE push_outbox (
     user_id uuid NOT NULL,
     device_id uuid NOT NULL,
     conversation_id uuid NOT NULL,
     provider text COLLATE "C" NOT NULL,
     kind text COLLATE "C" NOT NULL,
     first_seq bigint NOT NULL,
     seq bigint NOT NULL,
     message_id bigint NOT NULL,
     sender_id uuid,
     content_type text COLLATE "C",
     preview text,
     sent_at timestamptz,
     unless_delivered boolean NOT NULL,
     due_at timestamptz NOT NULL,
     attempts integer NOT NULL DEFAULT 0,
     claim uuid,
     created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
     PRIMARY KEY (user_id, device_id, conversation_id),
     FOREIGN KEY (user_id, device_id) REFERENCES user_devices ON DELETE CASCADE
   )`,
  'CREATE INDEX push_outbox_due ON push_outbox (provider, due_at)',
  'CREATE INDEX push_outbox_conversation ON push_outbox (conversation_id, user_id)',

  // What a device shows, as far as is known: for taking it away when it was read elsewhere.
  `CREATE TABLE push_shown (
     user_id uuid NOT NULL,
     device_id uuid NOT NULL,
     conversation_id uuid NOT NULL,
     seq bigint NOT NULL,
     message_id bigint NOT NULL,
     PRIMARY KEY (user_id, conversation_id, device_id),
     FOREIGN KEY (user_id, device_id) REFERENCES user_devices ON DELETE CASCADE
   )`,
  'CREATE INDEX push_shown_device ON push_shown (user_id, device_id)',
];
