import { migrateMessageStore, migratePostgres, migrateTopics, postgresCondition } from '@parley/infra';
import type { Tool } from './tool.js';
import { openToolDatabase } from './tool-database.js';

/**
 * Brings all engines up to this version, one after the other; what is up to date stays as it is. Safe beside running
 * processes of the version before, and when several do it at once.
 * @throws in a sentence what stops it; run again, it goes on from there
 */
export async function migrate({ config, say }: Tool): Promise<number> {
  const database = await openToolDatabase(config, config.profile.name === 'cluster' ? 'look' : 'change');
  try {
    const { migrationsMissing, migrationsUnknown } = await postgresCondition(database.pool);
    if (migrationsUnknown.length > 0) {
      const names = migrationsUnknown.join(', ');
      throw new Error(`The database was made by a newer version of Parley (${names}): use that one.`);
    }
    const partitions = await migratePostgres(database.url, config.pipeline.partitions);
    say(
      migrationsMissing.length === 0 ? 'Postgres: up to date.' : `Postgres: applied ${migrationsMissing.join(', ')}.`,
    );
    say(`Partitions: ${partitions}, for life.`);
    const topics = await migrateTopics(config, partitions);
    if (topics) say(`Kafka: the topics ${topics.join(' and ')} are there and fit.`);
    const applied = await migrateMessageStore(config);
    if (applied) say(applied.length === 0 ? 'Cassandra: up to date.' : `Cassandra: applied ${applied.join(', ')}.`);
    return 0;
  } finally {
    await database.close();
  }
}
