import { type Client, types } from 'cassandra-driver';
import { cassandraAnswer } from './cassandra-answer.js';
import { cassandraSchemaVersion } from './cassandra-schema.js';
import { CASSANDRA_MIGRATIONS } from './migrations/index.js';

/** What an operator wants to know of the message store. */
export interface CassandraCondition {
  /** Of the node that answered. */
  version: string;
  schemaVersion: number;
  /** What this program was made for. */
  schemaVersionWanted: number;
  /** Copies of each row by data centre. */
  replication: Record<string, number>;
  /** Nodes that this process can reach, and all that it knows. */
  nodesUp: number;
  nodes: number;
}

/**
 * Whether reads and writes are answered by a quorum now; for a readiness check.
 * @throws DomainError `store_unavailable` within 2 s
 */
export async function checkCassandra(client: Client): Promise<void> {
  // A row that is never there, but which only a quorum of its replicas can tell.
  await cassandraAnswer(() => client.execute("SELECT version FROM schema_migration WHERE name = 'readiness'"));
}

/** @throws DomainError `store_unavailable` within 2 s */
export async function cassandraCondition(client: Client): Promise<CassandraCondition> {
  return cassandraAnswer(async () => {
    const one = { consistency: types.consistencies.localOne };
    const local = await client.execute('SELECT release_version FROM system.local', [], one);
    const keyspace = await client.execute(
      'SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?',
      [client.keyspace],
      one,
    );
    const hosts = client.hosts.values();
    return {
      version: local.first()['release_version'] as string,
      schemaVersion: await cassandraSchemaVersion(client),
      schemaVersionWanted: CASSANDRA_MIGRATIONS.at(-1)?.version ?? 0,
      replication: replicationOf(keyspace.first()?.['replication'] as Record<string, string> | undefined),
      nodesUp: hosts.filter((host) => host.isUp()).length,
      nodes: hosts.length,
    };
  });
}

function replicationOf(options: Record<string, string> = {}): Record<string, number> {
  const factors = Object.entries(options).filter(([name]) => name !== 'class');
  return Object.fromEntries(factors.map(([name, copies]) => [name, Number(copies)]));
}
