import type { Pool } from 'pg';
import type { CassandraCondition } from './cassandra/cassandra-condition.js';
import type { AppConfig } from './config/configuration.js';
import { cassandraSettingsOf, kafkaConnectionOf, redisAuthoritiesOf } from './engine-connections.js';
import type { KafkaCondition } from './kafka/kafka-condition.js';
import { PostgresPartitionLeases } from './postgres/checkpoint/postgres-partition-leases.js';
import { openDatabase } from './postgres/database.js';
import { tableLogEnds } from './postgres/operations/postgres-condition.js';
import type { RedisCondition } from './redis/redis-condition.js';

// What an operator does with the engines that the configuration chose. The code of the others is not loaded.

const CLIENT_ID = 'parley-cli';

/** Brings the database up to this version. Answers how many partitions it has; `wanted` are made when it has none. */
export async function migratePostgres(url: string, wanted: number): Promise<number> {
  const database = await openDatabase({ url, poolSize: 2 });
  try {
    return await new PostgresPartitionLeases(database.pool).ensurePartitions(wanted);
  } finally {
    await database.close();
  }
}

/** Makes the topics that are missing and checks the others. Their names, or null where Kafka is not used. */
export async function migrateTopics(config: AppConfig, partitions: number): Promise<string[] | null> {
  if (!usesKafka(config)) return null;
  const { openKafkaTopics } = await import('./kafka/index.js');
  const { topicPrefix, replicationFactor } = config.kafka;
  const connection = kafkaConnectionOf(config, CLIENT_ID);
  return Object.values(await openKafkaTopics({ ...connection, topicPrefix, partitions, replicationFactor }));
}

/** Versions that were applied now, or null where Cassandra is not used. */
export async function migrateMessageStore(config: AppConfig): Promise<number[] | null> {
  if (config.adapters.messageStore !== 'cassandra') return null;
  const { migrateCassandra } = await import('./cassandra/index.js');
  const { localDataCenter, replicationFactor } = config.cassandra;
  return migrateCassandra(cassandraSettingsOf(config), { [localDataCenter]: replicationFactor });
}

/** Null where Kafka is not used. @throws Error within seconds */
export async function kafkaConditionOf(config: AppConfig): Promise<KafkaCondition | null> {
  if (!usesKafka(config)) return null;
  const { kafkaCondition } = await import('./kafka/index.js');
  const { topicPrefix, replicationFactor } = config.kafka;
  const { partitions } = config.pipeline;
  return kafkaCondition({ ...kafkaConnectionOf(config, CLIENT_ID), topicPrefix, partitions, replicationFactor });
}

/** Null where Cassandra is not used. @throws Error within seconds */
export async function cassandraConditionOf(config: AppConfig): Promise<CassandraCondition | null> {
  if (config.adapters.messageStore !== 'cassandra') return null;
  const { cassandraCondition, connectCassandra } = await import('./cassandra/index.js');
  const settings = cassandraSettingsOf(config);
  const client = await connectCassandra(settings, settings.keyspace, 0);
  try {
    return await cassandraCondition(client);
  } finally {
    await client.shutdown();
  }
}

/** Null where Redis is not used. @throws Error within seconds */
export async function redisConditionOf(config: AppConfig): Promise<RedisCondition | null> {
  const { url } = config.redis;
  if (config.adapters.broadcast !== 'redis' || url === undefined) return null;
  const { redisCondition } = await import('./redis/index.js');
  return redisCondition({ url, ca: redisAuthoritiesOf(config) });
}

/**
 * For each partition of the command log the offset that the next record will get, or null for a log in the memory of
 * the server.
 */
export async function logEndsOf(
  config: AppConfig,
  pool: Pool,
  partitions: number,
): Promise<ReadonlyMap<number, number> | null> {
  switch (config.adapters.commandLog) {
    case 'kafka': {
      const { commandLogEnds } = await import('./kafka/index.js');
      return commandLogEnds(kafkaConnectionOf(config, CLIENT_ID), config.kafka.topicPrefix, partitions);
    }
    case 'postgres':
      return tableLogEnds(pool);
    case 'memory':
      return null;
  }
}

function usesKafka({ adapters }: AppConfig): boolean {
  return adapters.commandLog === 'kafka' || adapters.eventStream === 'kafka';
}
