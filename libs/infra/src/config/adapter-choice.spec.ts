import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfiguration, type Environment } from './load-configuration.js';

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfiguration(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

const CLUSTER: Environment = {
  PROFILE: 'cluster',
  DATABASE_URL: 'postgres://parley@db/parley',
  AUTH_JWT_SECRET: 'a secret that every process has',
  KAFKA_BROKERS: 'kafka1:9092, kafka2:9092',
  CASSANDRA_CONTACT_POINTS: 'cassandra:9042',
  REDIS_URL: 'redis://redis:6379',
};
const MIDDLE_WAY: Environment = {
  ...CLUSTER,
  KAFKA_BROKERS: undefined,
  CASSANDRA_CONTACT_POINTS: undefined,
  COMMAND_LOG: 'postgres',
  EVENT_STREAM: 'postgres',
  MESSAGE_STORE: 'postgres',
};

describe('the choice of adapters', () => {
  it('is one process with Postgres by default', () => {
    expect(loadConfiguration({})).toMatchObject({
      profile: { name: 'embedded' },
      adapters: { commandLog: 'memory', eventStream: 'postgres', messageStore: 'postgres', broadcast: 'memory' },
      pipeline: { partitions: 8 },
    });
  });

  it('is Kafka, Cassandra and Redis, with more partitions, in the cluster profile', () => {
    expect(loadConfiguration(CLUSTER)).toMatchObject({
      adapters: { commandLog: 'kafka', eventStream: 'kafka', messageStore: 'cassandra', broadcast: 'redis' },
      pipeline: { partitions: 48 },
      kafka: { brokers: ['kafka1:9092', 'kafka2:9092'], topicPrefix: 'parley', replicationFactor: 3 },
    });
  });

  it('can be made for each port on its own: Postgres and Redis alone are a cluster too', () => {
    expect(loadConfiguration({ ...MIDDLE_WAY, PARTITIONS: '16' })).toMatchObject({
      adapters: { commandLog: 'postgres', eventStream: 'postgres', messageStore: 'postgres', broadcast: 'redis' },
      pipeline: { partitions: 16 },
    });
    expect(problemsOf({ COMMAND_LOG: 'postgres' })).toEqual([]);
  });

  it('says which engine has no address', () => {
    const { PROFILE, DATABASE_URL, AUTH_JWT_SECRET } = CLUSTER;
    expect(problemsOf({ PROFILE, DATABASE_URL, AUTH_JWT_SECRET })).toEqual([
      'COMMAND_LOG=kafka needs KAFKA_BROKERS',
      'EVENT_STREAM=kafka needs KAFKA_BROKERS',
      'MESSAGE_STORE=cassandra needs CASSANDRA_CONTACT_POINTS',
      'BROADCAST=redis needs REDIS_URL',
    ]);
  });

  it('refuses a cluster whose processes would not hear of each other', () => {
    expect(problemsOf({ ...MIDDLE_WAY, COMMAND_LOG: 'memory', BROADCAST: 'memory' })).toEqual([
      'COMMAND_LOG must be postgres or kafka in a cluster: other processes cannot read a memory',
      'BROADCAST must be redis in a cluster: other processes hear nothing of a memory',
    ]);
    expect(problemsOf({ ...MIDDLE_WAY, DATABASE_URL: '', AUTH_JWT_SECRET: '' })).toEqual([
      'PROFILE=cluster needs DATABASE_URL: its processes share one Postgres',
      'PROFILE=cluster needs AUTH_JWT_SECRET: each process checks the tokens that others signed',
    ]);
  });

  it('refuses a log in memory beside stores that cannot journal it', () => {
    for (const other of [{ EVENT_STREAM: 'kafka' }, { MESSAGE_STORE: 'cassandra' }]) {
      const { KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS } = CLUSTER;
      const problems = problemsOf({ KAFKA_BROKERS, CASSANDRA_CONTACT_POINTS, ...other });
      expect(problems).toEqual([expect.stringContaining('COMMAND_LOG=memory needs EVENT_STREAM=postgres')]);
    }
  });

  it.each([
    ['KAFKA_BROKERS', 'kafka:9092/path'],
    ['CASSANDRA_KEYSPACE', 'Parley-1'],
    ['REDIS_URL', 'http://redis'],
    ['GATEWAY_URLS', 'gateway-1:3000'],
    ['CASSANDRA_PASSWORD', 'without a name'],
    ['COMMAND_LOG', 'redis'],
    ['PROFILE', 'both'],
  ])('refuses %s=%s', (name, value) => {
    expect(problemsOf({ ...CLUSTER, [name]: value })).toHaveLength(1);
  });
});
