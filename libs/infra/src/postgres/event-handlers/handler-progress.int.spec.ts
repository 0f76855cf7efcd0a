import { handlerProgressContract } from '../../../../domain/src/ports/handler-progress.port.contract.js';
import { startTestDatabase } from '../accounts/test-database.testing.js';
import { PostgresPartitionLeases } from '../checkpoint/postgres-partition-leases.js';
import { PostgresHandlerProgress } from './postgres-handler-progress.js';

handlerProgressContract('Postgres', async () => {
  const { database, stop } = await startTestDatabase();
  await new PostgresPartitionLeases(database.pool).ensurePartitions(4);
  await database.pool.query('UPDATE partition_progress SET next_offset = 7');
  const expire = async (owner: string): Promise<void> => {
    await database.pool.query(
      "UPDATE event_handler_progress SET lease_until = now() - interval '1 ms' WHERE owner = $1",
      [owner],
    );
  };
  return { progress: new PostgresHandlerProgress(database.pool), expire, close: stop };
});
