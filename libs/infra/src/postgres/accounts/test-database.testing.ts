import { randomBytes, randomUUID } from 'node:crypto';
import { searchKey, type UserRecord } from '@parley/domain';
import { type Database, openDatabase } from '../database.js';
import { startTestPostgres } from '../embedded/testing.js';
import { toUserRecord, USER_COLUMNS } from './user.entity.js';

/** A migrated database of one's own, for integration tests. */
export interface TestDatabase {
  database: Database;
  url: string;
  addUser: (username: string, displayName: string) => Promise<UserRecord>;
  addUsers: (count: number) => Promise<string[]>;
  stop: () => Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 5 });
  return {
    database,
    url: server.url,
    addUser: async (username, displayName) => {
      const { rows } = await database.pool.query<UserRecord>(
        `INSERT INTO users AS u (user_id, username, display_name, display_name_key, password_hash)
         VALUES ($1, $2, $3, $4, 'a hash') RETURNING ${USER_COLUMNS}`,
        [randomUUID(), username, displayName, searchKey(displayName)],
      );
      return toUserRecord(rows[0]!);
    },
    addUsers: async (count) => {
      const ids = Array.from({ length: count }, () => randomUUID() as string);
      await database.pool.query(
        `INSERT INTO users (user_id, username, display_name, display_name_key)
         SELECT id, 'u' || $2 || n, 'User', 'user' FROM unnest($1::uuid[]) WITH ORDINALITY AS t (id, n)`,
        [ids, randomBytes(6).toString('hex')],
      );
      return ids;
    },
    stop: async () => {
      await database.close();
      await server.stop();
    },
  };
}
