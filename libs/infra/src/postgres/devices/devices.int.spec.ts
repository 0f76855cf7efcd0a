import { afterAll, beforeAll } from 'vitest';
import { deviceStoreContract } from '../../../../domain/src/devices/device-store.port.contract.js';
import { startTestDatabase, type TestDatabase } from '../accounts/test-database.testing.js';
import { PostgresDeviceStore } from './postgres-device-store.js';

let test: TestDatabase;
beforeAll(async () => {
  test = await startTestDatabase();
});
afterAll(() => test.stop());

deviceStoreContract('Postgres', () => ({
  devices: new PostgresDeviceStore(test.database.pool),
  addUsers: test.addUsers,
}));
