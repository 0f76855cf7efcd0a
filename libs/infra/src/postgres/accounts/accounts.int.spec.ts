import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountStoreContract } from '../../../../domain/src/accounts/account-store.port.contract.js';
import { blocksContract } from '../../../../domain/src/users/blocks.port.contract.js';
import { contactsContract } from '../../../../domain/src/users/contacts.port.contract.js';
import { userDirectoryContract } from '../../../../domain/src/users/user-directory.port.contract.js';
import { PostgresAccountStore } from './postgres-account-store.js';
import { PostgresBlocks } from './postgres-blocks.js';
import { PostgresContacts } from './postgres-contacts.js';
import {
  PostgresUserDirectory,
  SEARCH_DISPLAY_NAMES,
  SEARCH_SETTINGS,
  SEARCH_USERNAMES,
} from './postgres-user-directory.js';
import { startTestDatabase, type TestDatabase } from './test-database.testing.js';

let test: TestDatabase;
beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

accountStoreContract('Postgres', () => new PostgresAccountStore(test.database));
userDirectoryContract('Postgres', () => ({
  directory: new PostgresUserDirectory(test.database),
  addUser: test.addUser,
}));
contactsContract('Postgres', () => ({ contacts: new PostgresContacts(test.database), addUsers: test.addUsers }));
blocksContract('Postgres', () => ({ blocks: new PostgresBlocks(test.database), addUsers: test.addUsers }));

describe('what Postgres keeps and how it reads', () => {
  it('holds the refresh token as the hash it was given, and nothing of a password but its hash', async () => {
    const accounts = new PostgresAccountStore(test.database);
    const [userId, sessionId, refreshHash] = [randomUUID(), randomUUID(), randomBytes(32)];
    const username = `k${randomBytes(5).toString('hex')}`;
    const session = { sessionId, deviceId: null, refreshHash, refreshSeconds: 600, accessSeconds: 60 };
    await accounts.createAccount({ userId, username, displayName: 'K', passwordHash: '$argon2id$…' }, session);
    const { rows } = await test.database.pool.query(
      'SELECT s.refresh_hash, u.password_hash FROM sessions s JOIN users u USING (user_id) WHERE s.session_id = $1',
      [sessionId],
    );
    expect(rows).toEqual([{ refresh_hash: refreshHash, password_hash: '$argon2id$…' }]);
  });

  it('searches along its indexes, no further than the page, in a large database that was never analysed', async () => {
    await test.database.pool.query('ALTER TABLE users SET (autovacuum_enabled = off)');
    await test.addUsers(20_000);
    const client = await test.database.pool.connect();
    await client.query('BEGIN');
    await client.query(SEARCH_SETTINGS);
    const plan = async (query: string, values: unknown[]) => {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${query}`, values);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const byUsername = await plan(SEARCH_USERNAMES, ['u', 'u\u{10ffff}', '', 50]);
    const byDisplayName = await plan(SEARCH_DISPLAY_NAMES, ['user', 'user\u{10ffff}', '', randomUUID(), 50]);
    await client.query('ROLLBACK');
    client.release();
    expect(byUsername).toMatch(/Index Scan using users_username/);
    expect(byUsername).not.toMatch(/Seq Scan|Sort|Bitmap/);
    // What is sorted at last is one page.
    const inner = byDisplayName.slice(byDisplayName.indexOf('Limit'));
    expect(inner).toMatch(/Index (Only )?Scan using users_display_name_key/);
    expect(byDisplayName).not.toMatch(/Seq Scan|Bitmap/);
    expect(inner).not.toMatch(/Sort/);
  });
});
