import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'cassandra-driver';
import { administer } from '../../../scripts/engines/index.mjs';

const DROP_KEYSPACE_TIMEOUT_MS = 30_000;

type Environment = Readonly<Record<string, string>>;

/** A database, a keyspace, topics and keys of their own on the engines of this test run. */
export interface EngineNames {
  /** What processes are told of the engines. */
  readonly environment: Environment;
  /** Removes what takes memory of the engines; topics end with them. */
  drop(): Promise<void>;
}

/** @param engines their addresses, as `scripts/engines` gives them; by default those of this test run */
export async function takeEngineNames(engines: Environment = process.env as Environment): Promise<EngineNames> {
  const name = `parley_${randomBytes(6).toString('hex')}`;
  const admin = addressOf(engines, 'POSTGRES_ADMIN_URL');
  const contactPoints = addressOf(engines, 'CASSANDRA_CONTACT_POINTS');
  await administer(admin, `CREATE DATABASE ${name}`);
  // Files that users upload lie in it, where all processes see them.
  const dataDir = await mkdtemp(join(tmpdir(), 'parley-test-cluster-data-'));
  const database = new URL(admin);
  database.pathname = `/${name}`;
  return {
    environment: {
      DATABASE_URL: database.href,
      DATA_DIR: dataDir,
      KAFKA_BROKERS: addressOf(engines, 'KAFKA_BROKERS'),
      KAFKA_TOPIC_PREFIX: name,
      KAFKA_REPLICATION_FACTOR: '1',
      CASSANDRA_CONTACT_POINTS: contactPoints,
      CASSANDRA_KEYSPACE: name,
      CASSANDRA_REPLICATION_FACTOR: '1',
      REDIS_URL: addressOf(engines, 'REDIS_URL'),
      REDIS_KEY_PREFIX: `${name}:`,
    },
    drop: async () => {
      await administer(admin, `DROP DATABASE ${name} WITH (FORCE)`);
      await dropKeyspace(contactPoints, name);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function addressOf(engines: Environment, variable: string): string {
  const address = engines[variable];
  if (!address) throw new Error(`${variable} is not set: run \`npm run test:cluster\`.`);
  return address;
}

async function dropKeyspace(contactPoints: string, name: string): Promise<void> {
  const client = new Client({ contactPoints: contactPoints.split(','), localDataCenter: 'datacenter1' });
  try {
    await client.execute(`DROP KEYSPACE IF EXISTS ${name}`, [], { readTimeout: DROP_KEYSPACE_TIMEOUT_MS });
  } finally {
    await client.shutdown();
  }
}
