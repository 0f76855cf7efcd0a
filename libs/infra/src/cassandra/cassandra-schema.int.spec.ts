import { randomUUID } from 'node:crypto';
import { type Client, types } from 'cassandra-driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectCassandra } from './cassandra-client.js';
import { cassandraCondition, checkCassandra } from './cassandra-condition.js';
import { CassandraSchemaError, cassandraSchemaVersion, migrateCassandra } from './cassandra-schema.js';
import { CASSANDRA_MIGRATIONS } from './migrations/index.js';
import { freshKeyspace, testCassandra } from './testing/test-keyspace.testing.js';

const LATEST = CASSANDRA_MIGRATIONS.length;

describe('the schema in Cassandra', () => {
  const nodes = testCassandra();
  const replication = { [nodes.localDataCenter]: 1 };
  const settings = { ...nodes, keyspace: freshKeyspace() };
  let client: Client;
  let applied: number[][];
  beforeAll(async () => {
    applied = await Promise.all([1, 2, 3].map(() => migrateCassandra(settings, replication)));
    client = await connectCassandra(settings);
  });
  afterAll(async () => {
    await client.execute(`DROP KEYSPACE ${settings.keyspace}`, [], { prepare: false, readTimeout: 30_000 });
    await client.shutdown();
  });

  const forget = (version: number): Promise<unknown> =>
    client.execute("DELETE FROM schema_migration WHERE name = 'parley' AND version = ?", [version], {
      consistency: types.consistencies.all,
    });

  it('is made once when three processes start at the same time', async () => {
    const versions = CASSANDRA_MIGRATIONS.map(({ version }) => version);
    expect(applied.flat()).toEqual(versions);
    const { rows } = await client.execute('SELECT version FROM schema_migration');
    expect(rows.map((row) => row['version'])).toEqual(versions);
    const { rows: locks } = await client.execute('SELECT name FROM schema_lock');
    expect(locks).toEqual([]);
  });

  it('waits for the process that migrates', async () => {
    const holder = randomUUID();
    const cql = 'CREATE TABLE IF NOT EXISTS waiting (id int PRIMARY KEY);';
    const waiting = { version: LATEST + 1, name: 'waiting', cql };
    await client.execute("INSERT INTO schema_lock (name, holder) VALUES ('parley', ?) IF NOT EXISTS", [holder]);
    // Where nothing is missing nobody waits.
    expect(await migrateCassandra(settings, replication)).toEqual([]);
    const migrating = migrateCassandra(settings, replication, [...CASSANDRA_MIGRATIONS, waiting]);
    const first = await Promise.race([migrating, new Promise((resolve) => setTimeout(resolve, 1_500, 'waiting'))]);
    expect(first).toBe('waiting');
    await client.execute("DELETE FROM schema_lock WHERE name = 'parley' IF holder = ?", [holder]);
    expect(await migrating).toEqual([waiting.version]);
    await forget(waiting.version);
  });

  it('refuses to go on from a migration that was changed after it had been applied', async () => {
    const changed = CASSANDRA_MIGRATIONS.map((migration) => ({ ...migration, cql: `${migration.cql}-- later\n` }));
    await expect(migrateCassandra(settings, replication, changed)).rejects.toBeInstanceOf(CassandraSchemaError);
  });

  it('applies what is new, after what is there', async () => {
    const added = { version: LATEST + 1, name: 'more', cql: 'CREATE TABLE IF NOT EXISTS more (id int PRIMARY KEY);' };
    expect(await migrateCassandra(settings, replication, [...CASSANDRA_MIGRATIONS, added])).toEqual([LATEST + 1]);
    expect(await cassandraSchemaVersion(client)).toBe(LATEST + 1);
    await forget(added.version);
  });

  it('tells an operator versions, replication and nodes', async () => {
    await checkCassandra(client);
    expect(await cassandraCondition(client)).toEqual({
      version: expect.stringMatching(/^5\./) as string,
      schemaVersion: LATEST,
      schemaVersionWanted: LATEST,
      replication,
      nodesUp: 1,
      nodes: 1,
    });
  });

  it('is refused for a keyspace that is named like no other, and not looked for where nobody is', async () => {
    await expect(connectCassandra({ ...settings, keyspace: 'Bad; DROP' })).rejects.toThrow('is not named like');
    await expect(connectCassandra({ ...settings, keyspace: 'nowhere' })).rejects.toThrow('does not exist');
    const mixed = { ...settings, contactPoints: ['127.0.0.1:1', '127.0.0.2'] };
    await expect(connectCassandra(mixed)).rejects.toThrow('one port for all of them');
    const silent = { ...settings, contactPoints: ['127.0.0.1:1'] };
    await expect(connectCassandra(silent, null, 100)).rejects.toThrow('cannot be used at 127.0.0.1:1');
  });
});
