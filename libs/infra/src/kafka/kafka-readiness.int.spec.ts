import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngines, type EngineNode, type StartedEngines } from '../../../../scripts/engines/index.mjs';
import { KafkaReadiness } from './kafka-readiness.js';
import { openKafkaTopics } from './kafka-topics.js';

const ANSWER_MS_MAX = 3_000;
const BACK = { timeout: 40_000, interval: 200 };

let engines: StartedEngines;
let broker: EngineNode;
let topic: string;
const closing: KafkaReadiness[] = [];
const connection = () => ({ brokers: [broker.address], clientId: 'test' });

beforeAll(async () => {
  engines = await startEngines(['kafka']);
  broker = engines.nodes[0]!;
  const made = { topicPrefix: `t-${randomUUID()}`, partitions: 3, replicationFactor: 1 };
  topic = (await openKafkaTopics({ ...connection(), ...made })).commands;
}, 120_000);
afterAll(async () => {
  for (const readiness of closing) await readiness.close();
  await engines.stop();
}, 60_000);

function readinessOf(name: string): KafkaReadiness {
  const readiness = new KafkaReadiness(connection(), name);
  closing.push(readiness);
  return readiness;
}

async function fails(readiness: KafkaReadiness): Promise<boolean> {
  const began = performance.now();
  const failed = await readiness.check().then(
    () => false,
    () => true,
  );
  expect(performance.now() - began).toBeLessThan(ANSWER_MS_MAX);
  return failed;
}

describe('the readiness of Kafka', () => {
  it('is there while the partitions are led, and not for a topic that nobody made', async () => {
    expect(await fails(readinessOf(topic))).toBe(false);
    expect(await fails(readinessOf('no-such-topic'))).toBe(true);
  });

  it('is gone in bounded time when the broker stands still, which takes connections all the same, or is killed', async () => {
    const readiness = readinessOf(topic);
    await readiness.check();
    broker.pause();
    expect(await fails(readiness)).toBe(true);
    expect(await fails(readiness)).toBe(true);
    broker.resume();
    await expect.poll(() => fails(readiness), BACK).toBe(false);
    await broker.kill();
    expect(await fails(readiness)).toBe(true);
    await broker.start();
    await expect.poll(() => fails(readiness), BACK).toBe(false);
  }, 150_000);
});
