import type { ListAddition, ListedUser, UserRecord } from '@parley/domain';
import pg from 'pg';
import { toUserRecord, USER_COLUMNS } from './user.entity.js';

/** A table of users that belong to one user. The names come from this folder only, never from a request. */
export interface UserListTable {
  name: 'contacts' | 'blocks';
  owner: string;
  listed: string;
  max: number;
}

const FOREIGN_KEY_VIOLATION = '23503';

/** One statement. The bound is soft by as many as are added at the same moment. */
export async function addToUserList(
  pool: pg.Pool,
  table: UserListTable,
  ownerId: string,
  userId: string,
): Promise<ListAddition> {
  const { name, owner, listed, max } = table;
  try {
    const { rows } = await pool.query<{ added: boolean; there: boolean; known: boolean }>(
      `WITH there AS (SELECT 1 FROM ${name} WHERE ${owner} = $1 AND ${listed} = $2),
            known AS (SELECT 1 FROM users WHERE user_id = $2),
            added AS (
              INSERT INTO ${name} (${owner}, ${listed}) SELECT $1, $2
               WHERE EXISTS (SELECT 1 FROM known) AND NOT EXISTS (SELECT 1 FROM there)
                 AND (SELECT count(*) FROM ${name} WHERE ${owner} = $1) < $3
              ON CONFLICT DO NOTHING RETURNING 1)
       SELECT EXISTS (SELECT 1 FROM added) AS added, EXISTS (SELECT 1 FROM there) AS there,
              EXISTS (SELECT 1 FROM known) AS known`,
      [ownerId, userId, max],
    );
    const result = rows[0];
    if (result?.added) return 'added';
    if (result?.there) return 'already-there';
    if (!result?.known) return 'unknown-user';
    return (await isListed(pool, table, ownerId, userId)) ? 'already-there' : 'full';
  } catch (error) {
    // The owner itself is gone, or the other user went away in between.
    if (error instanceof pg.DatabaseError && error.code === FOREIGN_KEY_VIOLATION) return 'unknown-user';
    throw error;
  }
}

// The insert may have met one of another transaction that the statement's snapshot did not show.
async function isListed(pool: pg.Pool, table: UserListTable, ownerId: string, userId: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM ${table.name} WHERE ${table.owner} = $1 AND ${table.listed} = $2`,
    [ownerId, userId],
  );
  return rowCount === 1;
}

/** Newest first, with the users in the same statement. */
export async function listUsers(
  pool: pg.Pool,
  table: UserListTable,
  ownerId: string,
  before: string | null,
  limit: number,
): Promise<ListedUser[]> {
  const { rows } = await pool.query<UserRecord & { position: string }>(
    `SELECT l.position::text AS position, ${USER_COLUMNS}
       FROM ${table.name} l JOIN users u ON u.user_id = l.${table.listed}
      WHERE l.${table.owner} = $1 AND ($2::bigint IS NULL OR l.position < $2::bigint)
      ORDER BY l.position DESC LIMIT $3`,
    [ownerId, before, limit],
  );
  return rows.map((row) => ({ user: toUserRecord(row), position: row.position }));
}
