import { type PresencePair, PresenceRecords, type SeenAt } from '@parley/domain';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';

/** In the order of the users: writers that meet at the same rows would wait for each other crosswise otherwise. */
const RECORD_SEEN = `INSERT INTO user_last_seen (user_id, seen_at)
  SELECT seen.user_id, to_timestamp(max(seen.at) / 1000.0) FROM unnest($1::uuid[], $2::bigint[]) AS seen (user_id, at)
    JOIN users u ON u.user_id = seen.user_id
   GROUP BY seen.user_id ORDER BY seen.user_id
  ON CONFLICT (user_id) DO UPDATE SET seen_at = EXCLUDED.seen_at WHERE user_last_seen.seen_at < EXCLUDED.seen_at`;

const LAST_SEEN = `SELECT user_id, round(extract(epoch FROM seen_at) * 1000)::float8
  FROM user_last_seen WHERE user_id = ANY($1::uuid[])`;

const CAN_SEE = `SELECT pair.place::int - 1
  FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS pair (viewer_id, user_id, place)
  JOIN users viewer ON viewer.user_id = pair.viewer_id
  JOIN users seen ON seen.user_id = pair.user_id
 WHERE pair.viewer_id = pair.user_id OR (
       NOT viewer.presence_hidden AND NOT seen.presence_hidden
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = pair.viewer_id AND b.blocked_id = pair.user_id)
   AND NOT EXISTS (SELECT FROM blocks b WHERE b.blocker_id = pair.user_id AND b.blocked_id = pair.viewer_id))`;

export class PostgresPresenceRecords extends PresenceRecords {
  constructor(private readonly database: Database) {
    super();
  }

  override recordSeen(seen: readonly SeenAt[]): Promise<void> {
    if (seen.length === 0) return Promise.resolve();
    const users = seen.map(({ userId }) => userId);
    const times = seen.map(({ at }) => Math.floor(at));
    return storeAnswer(async () => {
      await this.database.pool.query(RECORD_SEEN, [users, times]);
    });
  }

  override lastSeen(userIds: readonly string[]): Promise<Map<string, number>> {
    if (userIds.length === 0) return Promise.resolve(new Map());
    return storeAnswer(async () => {
      const { rows } = await this.database.pool.query<[string, number]>({
        text: LAST_SEEN,
        values: [userIds],
        rowMode: 'array',
      });
      return new Map(rows);
    });
  }

  override canSee(pairs: readonly PresencePair[]): Promise<boolean[]> {
    if (pairs.length === 0) return Promise.resolve([]);
    return storeAnswer(async () => {
      const { rows } = await this.database.pool.query<[number]>({
        text: CAN_SEE,
        values: [pairs.map(({ viewerId }) => viewerId), pairs.map(({ userId }) => userId)],
        rowMode: 'array',
      });
      const answers = pairs.map(() => false);
      for (const [place] of rows) answers[place] = true;
      return answers;
    });
  }
}
