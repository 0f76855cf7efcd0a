import pg from 'pg';
import { batchCommitContract } from '../../../domain/src/ports/batch-commit.port.contract.js';
import { checkpointContract } from '../../../domain/src/ports/checkpoint.port.contract.js';
import { eventStreamContract } from '../../../domain/src/ports/event-stream.port.contract.js';
import { messageStoreContract } from '../../../domain/src/ports/message-store.port.contract.js';
import { partitionLeasesContract } from '../../../domain/src/ports/partition-leases.port.contract.js';
import { CommitConnection } from './batch-commit/commit-connection.js';
import { PostgresBatchCommit } from './batch-commit/postgres-batch-commit.js';
import { PostgresCheckpoint } from './checkpoint/postgres-checkpoint.js';
import { PostgresPartitionLeases } from './checkpoint/postgres-partition-leases.js';
import { openDatabase } from './database.js';
import { startTestPostgres } from './embedded/testing.js';
import { PostgresEventStream } from './event-stream/postgres-event-stream.js';
import { MessageTails } from './message-store/message-tails.js';
import { PostgresMessageStore } from './message-store/postgres-message-store.js';

interface Opened {
  pool: pg.Pool;
  url: string;
  close: () => Promise<void>;
}

async function open(): Promise<Opened> {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 4 });
  const close = async (): Promise<void> => {
    await database.close();
    await server.stop();
  };
  return { pool: database.pool, url: server.url, close };
}

async function leasesOf(pool: pg.Pool): Promise<PostgresPartitionLeases> {
  const leases = new PostgresPartitionLeases(pool);
  await leases.ensurePartitions(12);
  return leases;
}

messageStoreContract('Postgres', async () => {
  const { pool, close } = await open();
  return { store: new PostgresMessageStore(pool), close };
});

messageStoreContract('Postgres with tails in memory', async () => {
  const { pool, close } = await open();
  return { store: new PostgresMessageStore(pool, new MessageTails()), close };
});

eventStreamContract('Postgres', async () => {
  const { pool, close } = await open();
  return { stream: new PostgresEventStream(pool), close };
});

partitionLeasesContract('Postgres', async () => {
  const { pool, close } = await open();
  const expire = async (owner: string): Promise<void> => {
    await pool.query("UPDATE partition_progress SET lease_until = now() - interval '1 ms' WHERE owner = $1", [owner]);
    await pool.query("UPDATE pipeline_worker SET alive_until = now() - interval '1 ms' WHERE owner = $1", [owner]);
  };
  return { leases: await leasesOf(pool), expire, close };
});

checkpointContract('Postgres', async () => {
  const { pool, close } = await open();
  return { checkpoint: new PostgresCheckpoint(pool), leases: await leasesOf(pool), close };
});

batchCommitContract('Postgres, in one statement', async () => {
  const { pool, url, close } = await open();
  const connection = new CommitConnection(url);
  const tails = new MessageTails();
  const commit = new PostgresBatchCommit(connection);
  commit.onCommitted((batch) => tails.follow(batch.messages));
  return {
    commit,
    store: new PostgresMessageStore(pool, tails),
    stream: new PostgresEventStream(pool),
    checkpoint: new PostgresCheckpoint(pool),
    leases: await leasesOf(pool),
    close: async () => {
      await connection.close();
      await close();
    },
  };
});
