import { randomBytes } from 'node:crypto';
import type { Client } from 'cassandra-driver';
import { type CassandraSettings, connectCassandra } from '../cassandra-client.js';
import { migrateCassandra } from '../cassandra-schema.js';

export interface TestKeyspace {
  settings: CassandraSettings;
  client: Client;
  /** Drops the keyspace. */
  close: () => Promise<void>;
}

/** Where the engines of this test run are. @throws when they were not started */
export function testCassandra(): Pick<CassandraSettings, 'contactPoints' | 'localDataCenter'> {
  const contactPoints = process.env['CASSANDRA_CONTACT_POINTS']?.split(',');
  if (!contactPoints) throw new Error('CASSANDRA_CONTACT_POINTS is not set: run `npm run test:cluster`.');
  return { contactPoints, localDataCenter: process.env['CASSANDRA_LOCAL_DC'] ?? 'datacenter1' };
}

export function freshKeyspace(): string {
  return `test_${randomBytes(6).toString('hex')}`;
}

/** A migrated keyspace of its own. */
export async function openTestKeyspace(nodes = testCassandra(), copies = 1): Promise<TestKeyspace> {
  const settings = { ...nodes, keyspace: freshKeyspace() };
  await migrateCassandra(settings, { [nodes.localDataCenter]: copies });
  const client = await connectCassandra(settings);
  const close = async (): Promise<void> => {
    await client.execute(`DROP KEYSPACE ${settings.keyspace}`, [], { prepare: false, readTimeout: 30_000 });
    await client.shutdown();
  };
  return { settings, client, close };
}
