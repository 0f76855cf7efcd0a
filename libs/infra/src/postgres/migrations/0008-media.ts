import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // `kept_since`: nothing is collected within a day of it. Uploading, sending and showing as an avatar set it.
  `CREATE TABLE media (
     media_id uuid PRIMARY KEY,
     owner_id uuid NOT NULL,
     file_name text NOT NULL,
     mime_type text COLLATE "C" NOT NULL,
     size_bytes bigint NOT NULL,
     sha256 bytea NOT NULL,
     width integer,
     height integer,
     created_at timestamptz NOT NULL DEFAULT now(),
     kept_since timestamptz NOT NULL DEFAULT now(),
     renditions text COLLATE "C" NOT NULL,
     render_attempts smallint NOT NULL DEFAULT 0,
     render_lease_until timestamptz
   )`,
  `CREATE INDEX media_kept_since ON media (kept_since)`,
  `CREATE INDEX media_to_render ON media (created_at) WHERE renditions = 'pending'`,
  `CREATE TABLE media_usage (user_id uuid PRIMARY KEY, bytes bigint NOT NULL)`,

  // Written with the batch that stores the message, so who may see a message may see its media, at once.
  `CREATE TABLE media_use (
     conversation_id uuid NOT NULL,
     message_id bigint NOT NULL,
     seq bigint NOT NULL,
     media_id uuid NOT NULL,
     removed_at timestamptz,
     PRIMARY KEY (conversation_id, message_id, media_id)
   )`,
  `CREATE INDEX media_use_media ON media_use (media_id)`,
  // Media that are forgotten, and whose bytes are not deleted yet.
  `CREATE TABLE media_garbage (media_id uuid PRIMARY KEY, since timestamptz NOT NULL DEFAULT now())`,

  `ALTER TABLE users ADD COLUMN avatar_media_id uuid`,
  `CREATE INDEX users_avatar_media ON users (avatar_media_id) WHERE avatar_media_id IS NOT NULL`,
];

/** Uploaded media, which messages carry them, how much each user has, and what is to be deleted. */
export class Media0008 implements MigrationInterface {
  readonly name = 'Media1700000000008';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE users DROP COLUMN avatar_media_id');
    for (const table of ['media_garbage', 'media_use', 'media_usage', 'media']) {
      await runner.query(`DROP TABLE ${table}`);
    }
  }
}
