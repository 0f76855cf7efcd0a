import { randomUUID } from 'node:crypto';
import type { CommandLog, LogRecord, Positions } from '@parley/domain';
import type { KafkaConnection } from './kafka-client.js';
import { type KafkaTopicNames, openKafkaTopics } from './kafka-topics.js';

/** The brokers that `npm run test:cluster` has started, or those that are named in the environment. */
export function testBrokers(): string[] {
  const brokers = process.env['KAFKA_BROKERS'];
  if (!brokers) throw new Error('KAFKA_BROKERS is not set: run this with npm run test:cluster');
  return brokers.split(',');
}

export function connectionTo(brokers: readonly string[] = testBrokers()): KafkaConnection {
  return { brokers, clientId: 'parley-test' };
}

/** Topics of a test's own. */
export function openTestTopics(partitions: number, connection = connectionTo()): Promise<KafkaTopicNames> {
  return openKafkaTopics({ ...connection, topicPrefix: `t-${randomUUID()}`, partitions, replicationFactor: 1 });
}

/** Where partitions of a new topic begin. */
export function fromZero(partitions: number): Map<number, number> {
  return new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
}

/** Reads until `enough` says so, moving on behind each answer; ends in any case after `untilMs`. */
export async function readWhile(
  log: CommandLog,
  from: Positions,
  enough: (records: readonly LogRecord[]) => boolean,
  untilMs = 20_000,
): Promise<LogRecord[]> {
  const positions = new Map(from);
  const all: LogRecord[] = [];
  const until = performance.now() + untilMs;
  while (!enough(all) && performance.now() < until) {
    for (const record of await log.read(positions, 1_000, 200)) {
      all.push(record);
      positions.set(record.partition, record.offset + 1);
    }
  }
  return all;
}

export function readSome(log: CommandLog, from: Positions, records: number): Promise<LogRecord[]> {
  return readWhile(log, from, (all) => all.length >= records);
}
