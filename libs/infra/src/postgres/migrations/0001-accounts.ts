import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users, their sessions, contacts and blocks. Keys that are searched by prefix sort by bytes, whatever the server's locale. */
export class Accounts0001 implements MigrationInterface {
  name = 'accounts0000000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE users (
        user_id uuid PRIMARY KEY,
        username text COLLATE "C" NOT NULL CONSTRAINT users_username UNIQUE,
        display_name text NOT NULL,
        display_name_key text COLLATE "C" NOT NULL,
        password_hash text,
        avatar_url text,
        status_text text,
        presence_hidden boolean NOT NULL DEFAULT false,
        push_preview boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX users_display_name_key ON users (display_name_key, user_id) INCLUDE (username);

      CREATE TABLE sessions (
        session_id uuid PRIMARY KEY,
        user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        device_id uuid,
        refresh_hash bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        access_until timestamptz NOT NULL,
        revoked_at timestamptz
      );
      CREATE INDEX sessions_user ON sessions (user_id);
      CREATE INDEX sessions_expires_at ON sessions (expires_at);
      CREATE INDEX sessions_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;
      CREATE INDEX sessions_revoked_access ON sessions (access_until) WHERE revoked_at IS NOT NULL;

      CREATE TABLE contacts (
        owner_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        contact_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        position bigint GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY (owner_id, contact_id)
      );
      CREATE INDEX contacts_position ON contacts (owner_id, position);
      CREATE INDEX contacts_contact ON contacts (contact_id);

      CREATE TABLE blocks (
        blocker_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        blocked_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
        position bigint GENERATED ALWAYS AS IDENTITY,
        PRIMARY KEY (blocker_id, blocked_id)
      );
      CREATE INDEX blocks_position ON blocks (blocker_id, position);
      CREATE INDEX blocks_blocked ON blocks (blocked_id, blocker_id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE blocks; DROP TABLE contacts; DROP TABLE sessions; DROP TABLE users');
  }
}
