import { MediaDirectory, type MediaRecord, type RenderJob } from '@parley/domain';
import type { Pool } from 'pg';
import { storeAnswer } from '../store-answer.js';

const COLUMNS = `m.media_id AS "mediaId", m.owner_id AS "ownerId", m.file_name AS "fileName", m.mime_type AS "mimeType",
  m.size_bytes::float8 AS "sizeBytes", encode(m.sha256, 'hex') AS sha256, m.width, m.height, m.renditions`;

const IS_AVATAR = 'EXISTS (SELECT 1 FROM users a WHERE a.avatar_media_id = m.media_id)';

/** $1 is the user: the uploads of that user, and what was sent to that user. */
const IS_USABLE = `(m.owner_id = $1::uuid
  OR EXISTS (SELECT 1 FROM media_use u
       JOIN conversation_member c ON c.conversation_id = u.conversation_id AND c.user_id = $1::uuid
      WHERE u.media_id = m.media_id AND u.removed_at IS NULL AND c.removed_at IS NULL
        AND u.seq >= c.visible_from_seq))`;

const IS_VISIBLE = `(${IS_USABLE} OR ${IS_AVATAR})`;

const FIND = `SELECT ${COLUMNS} FROM media m WHERE m.media_id = $2::uuid AND ${IS_VISIBLE}`;
const FIND_AVATAR = `SELECT ${COLUMNS} FROM media m WHERE m.media_id = $1::uuid AND ${IS_AVATAR}`;

// In the order of their ids, as everything that locks several of them: two in different orders are a deadlock.
const USE = `
  WITH used AS MATERIALIZED (
    SELECT m.media_id FROM media m
    WHERE (m.media_id = ANY ($2::uuid[]) AND ${IS_USABLE})
       OR m.media_id = (SELECT avatar_media_id FROM users WHERE user_id = $1::uuid)
    ORDER BY m.media_id FOR UPDATE)
  UPDATE media m SET kept_since = now() FROM used WHERE m.media_id = used.media_id RETURNING ${COLUMNS}`;

/** The row of the usage is the lock of its user: uploads that end at once are added one after the other. */
const ADD = `
  WITH usage AS (
    INSERT INTO media_usage (user_id, bytes)
    SELECT $2::uuid, $5::bigint WHERE $5::bigint <= $10::bigint
    ON CONFLICT (user_id) DO UPDATE SET bytes = media_usage.bytes + $5::bigint
      WHERE media_usage.bytes + $5::bigint <= $10::bigint
    RETURNING 1)
  INSERT INTO media (media_id, owner_id, file_name, mime_type, size_bytes, sha256, width, height, renditions,
    render_lease_until)
  SELECT $1::uuid, $2::uuid, $3, $4, $5::bigint, decode($6, 'hex'), $7::int, $8::int, $9, 'infinity' FROM usage`;

const GIVE_BACK = `UPDATE media_usage g SET bytes = greatest(0, g.bytes - s.bytes)
  FROM (SELECT owner_id, sum(size_bytes)::bigint AS bytes FROM gone GROUP BY owner_id) s WHERE g.user_id = s.owner_id`;

const DISCARD = `
  WITH gone AS (DELETE FROM media WHERE media_id = $1::uuid RETURNING media_id, owner_id, size_bytes),
    given_back AS (${GIVE_BACK})
  INSERT INTO media_garbage (media_id) SELECT media_id FROM gone ON CONFLICT DO NOTHING`;

const CLAIM = `
  UPDATE media m SET render_attempts = m.render_attempts + 1,
    render_lease_until = now() + $1::float8 * interval '1 millisecond'
  WHERE m.media_id = (
    SELECT media_id FROM media
    WHERE renditions = 'pending' AND (render_lease_until IS NULL OR render_lease_until < now())
    ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING ${COLUMNS}, m.render_attempts AS attempt`;

const LOOKED_AT_ONCE = 500;

/**
 * The oldest ones by `kept_since`: what is used goes to the end of the row, so that every medium is looked at in turn.
 * A send that is just taking one of them holds its row, and it is left out.
 */
const FORGET_UNUSED = `
  WITH old AS MATERIALIZED (
    SELECT media_id FROM media WHERE kept_since < $2::timestamptz
    ORDER BY kept_since LIMIT ${LOOKED_AT_ONCE} FOR UPDATE SKIP LOCKED),
  unused AS MATERIALIZED (
    SELECT o.media_id FROM old o
    WHERE NOT EXISTS (SELECT 1 FROM users a WHERE a.avatar_media_id = o.media_id)
      AND NOT EXISTS (SELECT 1 FROM media_use u WHERE u.media_id = o.media_id
                      AND (u.removed_at IS NULL OR u.removed_at >= $2::timestamptz))),
  kept AS (
    UPDATE media SET kept_since = $1::timestamptz
    WHERE media_id IN (SELECT media_id FROM old EXCEPT SELECT media_id FROM unused)),
  gone AS (
    DELETE FROM media WHERE media_id IN (SELECT media_id FROM unused) RETURNING media_id, owner_id, size_bytes),
  uses AS (DELETE FROM media_use WHERE media_id IN (SELECT media_id FROM unused)),
  given_back AS (${GIVE_BACK}),
  garbage AS (INSERT INTO media_garbage (media_id) SELECT media_id FROM gone ON CONFLICT DO NOTHING)
  SELECT count(*)::int AS looked FROM old`;

/** Media in Postgres, whichever profile: who may see one depends on members and messages, which are there too. */
export class PostgresMediaDirectory extends MediaDirectory {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async add(medium: MediaRecord, quotaBytes: number): Promise<'added' | 'quota-exceeded'> {
    const { mediaId, ownerId, fileName, mimeType, sizeBytes, sha256, width, height, renditions } = medium;
    const values = [mediaId, ownerId, fileName, mimeType, sizeBytes, sha256, width, height, renditions, quotaBytes];
    const { rowCount } = await storeAnswer(() => this.pool.query(ADD, values));
    return rowCount === 1 ? 'added' : 'quota-exceeded';
  }

  override async stored(mediaId: string): Promise<void> {
    await this.change('UPDATE media SET render_lease_until = NULL WHERE media_id = $1::uuid', [mediaId]);
  }

  override async discard(mediaId: string): Promise<void> {
    await this.change(DISCARD, [mediaId]);
  }

  override async usedBytes(userId: string): Promise<number> {
    const sql = 'SELECT bytes::float8 AS bytes FROM media_usage WHERE user_id = $1::uuid';
    const [row] = await this.rows<{ bytes: number }>(sql, [userId]);
    return row?.bytes ?? 0;
  }

  override async findFor(userId: string, mediaId: string): Promise<MediaRecord | null> {
    return (await this.rows<MediaRecord>(FIND, [userId, mediaId]))[0] ?? null;
  }

  override async findAvatar(mediaId: string): Promise<MediaRecord | null> {
    return (await this.rows<MediaRecord>(FIND_AVATAR, [mediaId]))[0] ?? null;
  }

  override async use(userId: string, mediaIds: readonly string[]): Promise<MediaRecord[]> {
    const rows = await this.rows<MediaRecord>(USE, [userId, mediaIds]);
    return rows.filter(({ mediaId }) => mediaIds.includes(mediaId));
  }

  override async claimRendering(leaseMs: number): Promise<RenderJob | null> {
    const [row] = await this.rows<MediaRecord & { attempt: number }>(CLAIM, [leaseMs]);
    if (!row) return null;
    const { attempt, ...medium } = row;
    return { medium, attempt };
  }

  override async rendered(mediaId: string, state: 'thumbnail' | 'both' | 'failed'): Promise<boolean> {
    const sql = 'UPDATE media SET renditions = $2, render_lease_until = NULL WHERE media_id = $1::uuid';
    return (await this.change(sql, [mediaId, state])) === 1;
  }

  override async forgetUnused(nowMs: number, unusedMs: number): Promise<number> {
    const values = [new Date(nowMs), new Date(nowMs - unusedMs)];
    const [row] = await this.rows<{ looked: number }>(FORGET_UNUSED, values);
    return row?.looked ?? 0;
  }

  override async garbage(limit: number): Promise<string[]> {
    const sql = 'SELECT media_id AS "mediaId" FROM media_garbage ORDER BY since LIMIT $1';
    return (await this.rows<{ mediaId: string }>(sql, [limit])).map(({ mediaId }) => mediaId);
  }

  override async swept(mediaIds: readonly string[]): Promise<void> {
    await this.change('DELETE FROM media_garbage WHERE media_id = ANY ($1::uuid[])', [mediaIds]);
  }

  private rows<Row extends object>(sql: string, values: unknown[]): Promise<Row[]> {
    return storeAnswer(async () => (await this.pool.query<Row>(sql, values)).rows);
  }

  private change(sql: string, values: unknown[]): Promise<number> {
    return storeAnswer(async () => (await this.pool.query(sql, values)).rowCount ?? 0);
  }
}
