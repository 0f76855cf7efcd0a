import { randomUUID } from 'node:crypto';
import { Admin } from '@platformatic/kafka';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOptions } from './kafka-client.js';
import { type KafkaTopicsOptions, KafkaTopicsUnfit, openKafkaTopics, topicNames } from './kafka-topics.js';
import { connectionTo } from './test-brokers.testing.js';

function newOptions(partitions = 3): KafkaTopicsOptions {
  return { ...connectionTo(), topicPrefix: `t-${randomUUID()}`, partitions, replicationFactor: 1 };
}

async function given(topic: string, partitions: number, settings: Record<string, string>): Promise<void> {
  const admin = new Admin(clientOptions(connectionTo()));
  onTestFinished(() => admin.close());
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [topic], partitions, replicas: 1, configs });
}

const FIT = { 'message.timestamp.type': 'LogAppendTime', 'max.message.bytes': '8388608' };

describe('the topics', () => {
  it('are made once, also when several processes start together, and fit at the next start', async () => {
    const options = newOptions();
    const names = topicNames(options.topicPrefix);
    expect(await Promise.all([1, 2, 3].map(() => openKafkaTopics(options)))).toEqual([names, names, names]);
    expect(await openKafkaTopics(options)).toEqual(names);
  });

  it('refuse a start with another number of partitions, one sentence for each', async () => {
    const options = newOptions(3);
    const names = await openKafkaTopics(options);
    const refused = openKafkaTopics({ ...options, partitions: 4 });
    await expect(refused).rejects.toBeInstanceOf(KafkaTopicsUnfit);
    await expect(refused).rejects.toMatchObject({
      problems: [names.commands, names.events].map(
        (topic) => `Topic ${topic} has 3 partitions and 4 are configured: their number is fixed for life.`,
      ),
    });
  });

  it.each([
    ['message.timestamp.type', 'CreateTime', 'only LogAppendTime will do'],
    ['cleanup.policy', 'compact', 'only delete will do'],
    ['max.message.bytes', '1048576', 'at least 4194304 are needed'],
  ])('refuse a start when the commands have %s %s', async (name, value, sentence) => {
    const options = newOptions(2);
    const { commands } = topicNames(options.topicPrefix);
    await given(commands, 2, { ...FIT, [name]: value });
    await expect(openKafkaTopics(options)).rejects.toMatchObject({
      problems: [`Topic ${commands} has ${name} ${value}, and ${sentence}.`],
    });
  });

  it('say in a sentence why they cannot be made', async () => {
    const refused = openKafkaTopics({ ...newOptions(), replicationFactor: 3 });
    await expect(refused).rejects.toThrow(/cannot be used \(making t-\S+\): .*replication/i);
  });

  it('say in a sentence, within seconds, that no broker can be reached', async () => {
    const brokers = ['127.0.0.1:1'];
    await expect(openKafkaTopics({ ...newOptions(), brokers })).rejects.toThrow(
      /^Kafka at 127\.0\.0\.1:1 cannot be used \(topics\): .+\.$/,
    );
  });
});
