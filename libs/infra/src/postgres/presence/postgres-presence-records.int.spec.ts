import { afterAll, beforeAll } from 'vitest';
import { presenceRecordsContract } from '../../../../domain/src/presence/presence-records.port.contract.js';
import { PostgresBlocks } from '../accounts/postgres-blocks.js';
import { PostgresUserDirectory } from '../accounts/postgres-user-directory.js';
import { startTestDatabase, type TestDatabase } from '../accounts/test-database.testing.js';
import { PostgresPresenceRecords } from './postgres-presence-records.js';

let test: TestDatabase;
beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test?.stop());

presenceRecordsContract('Postgres', () => {
  const users = new PostgresUserDirectory(test.database);
  const blocks = new PostgresBlocks(test.database);
  return {
    records: new PostgresPresenceRecords(test.database),
    addUsers: test.addUsers,
    hide: async (userId, presenceHidden) => void (await users.update(userId, { presenceHidden })),
    block: async (blockerId, blockedId, blocked) =>
      void (await (blocked ? blocks.block(blockerId, blockedId) : blocks.unblock(blockerId, blockedId))),
  };
});
