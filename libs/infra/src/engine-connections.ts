import { readFileSync } from 'node:fs';
import type { CassandraSettings } from './cassandra/cassandra-client.js';
import type { AppConfig } from './config/configuration.js';
import type { KafkaConnection } from './kafka/kafka-client.js';

type EngineConfig = Pick<AppConfig, 'kafka' | 'cassandra' | 'redis' | 'security'>;

/** How Kafka is reached. @throws Error in a sentence when a file that is named cannot be read */
export function kafkaConnectionOf({ kafka, security }: EngineConfig, clientId: string): KafkaConnection {
  const { kafkaTls, kafkaCaFile, kafkaSaslMechanism: mechanism } = security;
  const tls = kafkaTls === 'on' ? authorities('KAFKA_TLS_CA_FILE', kafkaCaFile) : undefined;
  const [username, password] = [security.kafkaSaslUsername ?? '', security.kafkaSaslPassword ?? ''];
  const sasl = mechanism === 'off' ? undefined : { mechanism, username, password };
  return { brokers: kafka.brokers, clientId, security: { tls, sasl } };
}

/** How Cassandra is reached. @throws Error in a sentence when a file that is named cannot be read */
export function cassandraSettingsOf({ cassandra, security }: EngineConfig): CassandraSettings {
  const { contactPoints, localDataCenter, keyspace, username, password } = cassandra;
  const credentials = username !== undefined && password !== undefined ? { username, password } : undefined;
  const { cassandraTls, cassandraCaFile } = security;
  const tls = cassandraTls === 'on' ? authorities('CASSANDRA_TLS_CA_FILE', cassandraCaFile) : undefined;
  return { contactPoints, localDataCenter, keyspace, credentials, tls };
}

/** Who may sign Redis' certificate. @throws Error in a sentence when a file that is named cannot be read */
export function redisAuthoritiesOf({ security }: EngineConfig): string | undefined {
  return authorities('REDIS_TLS_CA_FILE', security.redisCaFile).ca;
}

function authorities(variable: string, file: string | undefined): { ca?: string } {
  if (file === undefined) return {};
  try {
    return { ca: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new Error(`${variable} names ${file}, which cannot be read.`, { cause });
  }
}
