import {
  type ExternalProfile,
  externalUsername,
  type ProfileChange,
  searchKey,
  type SearchHit,
  type SearchPosition,
  UserDirectory,
  type UserRecord,
} from '@parley/domain';
import { randomUUID } from 'node:crypto';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';
import { toUserRecord, USER_COLUMNS, UserEntity } from './user.entity.js';

type HitRow = UserRecord & { key: string };

const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Without statistics the planner thinks that few rows match, and would collect and sort all of them for each page. */
export const SEARCH_SETTINGS = 'SET LOCAL enable_bitmapscan = off';

export const SEARCH_USERNAMES = `SELECT ${USER_COLUMNS}, u.username AS key FROM users u
  WHERE u.username >= $1 AND u.username < $2 AND u.username > $3 ORDER BY u.username LIMIT $4`;

/**
 * Whoever matches by user name too was shown before. The index holds all that the inner query asks for, so a common
 * prefix costs index entries, not rows.
 */
export const SEARCH_DISPLAY_NAMES = `SELECT ${USER_COLUMNS}, hit.key FROM (
    SELECT user_id, display_name_key AS key FROM users
     WHERE display_name_key >= $1 AND display_name_key < $2 AND (display_name_key, user_id) > ($3, $4::uuid)
       AND NOT (username >= $1 AND username < $2)
     ORDER BY display_name_key, user_id LIMIT $5
  ) hit JOIN users u ON u.user_id = hit.user_id ORDER BY hit.key, hit.user_id`;

export class PostgresUserDirectory extends UserDirectory {
  constructor(private readonly database: Database) {
    super();
  }

  override find(userId: string): Promise<UserRecord | null> {
    return storeAnswer(async () => {
      const user = await this.database.dataSource.getRepository(UserEntity).findOneBy({ userId });
      return user && toUserRecord(user);
    });
  }

  override findMany(userIds: readonly string[]): Promise<UserRecord[]> {
    if (userIds.length === 0) return Promise.resolve([]);
    return storeAnswer(async () => {
      const { rows } = await this.database.pool.query<UserRecord>(
        `SELECT ${USER_COLUMNS} FROM users u WHERE u.user_id = ANY($1::uuid[])`,
        [userIds],
      );
      return rows;
    });
  }

  override existing(userIds: readonly string[]): Promise<Set<string>> {
    if (userIds.length === 0) return Promise.resolve(new Set());
    return storeAnswer(async () => {
      const { rows } = await this.database.pool.query<[string]>({
        text: 'SELECT user_id FROM users WHERE user_id = ANY($1::uuid[])',
        values: [userIds],
        rowMode: 'array',
      });
      return new Set(rows.map(([userId]) => userId));
    });
  }

  override update(userId: string, change: ProfileChange): Promise<UserRecord | null> {
    return storeAnswer(() =>
      this.database.dataSource.transaction(async (manager) => {
        const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
        if (change.displayName !== undefined) given['displayNameKey'] = searchKey(change.displayName);
        if (Object.keys(given).length > 0) await manager.update(UserEntity, { userId }, given);
        const user = await manager.findOneBy(UserEntity, { userId });
        return user && toUserRecord(user);
      }),
    );
  }

  override search(prefix: string, after: SearchPosition | null, limit: number): Promise<SearchHit[]> {
    const from = searchKey(prefix);
    // The first key that no longer begins with the prefix, but for the last code point itself, which is no character.
    const range = [from, `${from}\u{10ffff}`];
    return storeAnswer(() =>
      this.database.dataSource.transaction(async (manager) => {
        await manager.query(SEARCH_SETTINGS);
        const usernameAfter = after?.by === 'username' ? after.key : '';
        const byUsername: HitRow[] =
          after?.by === 'displayName' ? [] : await manager.query(SEARCH_USERNAMES, [...range, usernameAfter, limit]);
        const rest = limit - byUsername.length;
        const [key, userId] = after?.by === 'displayName' ? [after.key, after.userId] : ['', NIL_UUID];
        const byDisplayName: HitRow[] =
          rest > 0 ? await manager.query(SEARCH_DISPLAY_NAMES, [...range, key, userId, rest]) : [];
        return [...byUsername.map(hit('username')), ...byDisplayName.map(hit('displayName'))];
      }),
    );
  }

  override ensureExternal(userId: string, profile: ExternalProfile): Promise<void> {
    return storeAnswer(async () => {
      if (await this.insertExternal(userId, profile, profile.username)) return;
      if ((await this.existing([userId])).has(userId)) return;
      // Somebody else has the name; there are too many of them for the next one to be taken as well.
      if (await this.insertExternal(userId, profile, externalUsername(userId, randomUUID()))) return;
      if (!(await this.existing([userId])).has(userId)) throw new Error('No user name was free for an external user');
    });
  }

  private async insertExternal(userId: string, profile: ExternalProfile, username: string): Promise<boolean> {
    const { rowCount } = await this.database.pool.query(
      `INSERT INTO users (user_id, username, display_name, display_name_key, avatar_url)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
      [userId, username, profile.displayName, searchKey(profile.displayName), profile.avatarUrl],
    );
    return rowCount === 1;
  }
}

function hit(by: SearchPosition['by']): (row: HitRow) => SearchHit {
  return (row) => ({ user: toUserRecord(row), position: { by, key: row.key, userId: row.userId } });
}
