import { randomUUID } from 'node:crypto';
import { commandLogContract } from '../../../domain/src/ports/command-log.port.contract.js';
import { KafkaCommandLog } from './kafka-command-log.js';
import { openKafkaTopics } from './kafka-topics.js';
import { testBrokers } from './test-brokers.testing.js';

const PARTITIONS = 4;

commandLogContract('Kafka', async () => {
  const connection = { brokers: testBrokers(), clientId: 'command-log-test' };
  const topicPrefix = `t-${randomUUID()}`;
  const { commands } = await openKafkaTopics({
    ...connection,
    topicPrefix,
    partitions: PARTITIONS,
    replicationFactor: 1,
  });
  const log = new KafkaCommandLog({ ...connection, topic: commands, partitions: PARTITIONS });
  const start = new Map(Array.from({ length: PARTITIONS }, (_, partition) => [partition, 0]));
  return { log, start, close: () => log.close() };
});
