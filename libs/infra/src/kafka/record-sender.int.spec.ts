import { Consumer } from '@platformatic/kafka';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientOptions } from './kafka-client.js';
import { type OutgoingRecord, RecordSender, type RecordSenderOptions, SEND_RECORDS_MAX } from './record-sender.js';
import { connectionTo, openTestTopics } from './test-brokers.testing.js';
import { TopicReader } from './topic-reader.js';

const BOUNDS = { waitMs: 100, bytesMax: 16_777_216, bytesPerPartitionMax: 16_777_216 };

interface Given {
  topic: string;
  sender: RecordSender;
  /** The values in the partition, in their order. */
  values: (partition: number) => Promise<string[]>;
}

async function given(options: Partial<RecordSenderOptions> = {}): Promise<Given> {
  const { events: topic } = await openTestTopics(2);
  const bounds = { waitingRecordsMax: 100_000, waitingBytesMax: 100_000_000 };
  const sender = new RecordSender({ ...connectionTo(), topic, ...bounds, ...options });
  onTestFinished(() => sender.close());
  const values = async (partition: number): Promise<string[]> => {
    const reader = new TopicReader(connectionTo(), topic);
    onTestFinished(() => reader.close());
    const leader = (await reader.findLeaders())[partition] ?? -1;
    const read: string[] = [];
    for (;;) {
      const [answer] = await reader.fetch(leader, [{ partition, offset: read.length }], BOUNDS);
      if (!answer || answer.records.length === 0) return read;
      for (const { offset, value } of answer.records) if (offset === read.length) read.push(String(value));
    }
  };
  return { sender, values, topic };
}

function record(value: string, partition = 0): OutgoingRecord {
  return { partition, key: Buffer.from('key'), value: Buffer.from(value) };
}

/** Of the batches in the first partition, as the broker keeps them. */
async function producerIds(topic: string): Promise<Set<bigint>> {
  const consumer = new Consumer({ ...clientOptions(connectionTo()), groupId: 'never-joined' });
  onTestFinished(() => consumer.close());
  const { topics } = await consumer.metadata({ topics: [topic] });
  const { id: topicId, partitions } = topics.get(topic)!;
  const wanted = { partition: 0, fetchOffset: 0n, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
  const { responses } = await consumer.fetch({
    node: partitions[0]!.leader,
    topics: [{ topicId, partitions: [{ ...wanted, partitionMaxBytes: BOUNDS.bytesMax }] }],
  });
  const batches = responses.flatMap((response) => response.partitions.flatMap(({ records }) => records ?? []));
  return new Set(batches.map(({ producerId }) => producerId));
}

describe('the sender of records', () => {
  it('keeps the order of calls that do not wait for one another, and sends each record once', async () => {
    const { sender, values } = await given();
    const numbers = Array.from({ length: SEND_RECORDS_MAX + 500 }, (_, i) => String(i));
    await Promise.all(numbers.map((value, i) => sender.send([record(value, i % 2)])));
    expect(await values(0)).toEqual(numbers.filter((_, i) => i % 2 === 0));
    expect(await values(1)).toEqual(numbers.filter((_, i) => i % 2 === 1));
  });

  it('keeps a call together that is larger than a send', async () => {
    const { sender, values } = await given();
    const numbers = Array.from({ length: SEND_RECORDS_MAX + 500 }, (_, i) => String(i));
    const before = sender.send([record('before')]);
    const large = sender.send(numbers.map((value) => record(value)));
    await Promise.all([before, large, sender.send([record('behind')])]);
    expect(await values(0)).toEqual(['before', ...numbers, 'behind']);
  });

  it('goes on with a new producer before the numbers of the old one run out', async () => {
    const { sender, values, topic } = await given({ producerRecordsMax: 20 });
    const numbers = Array.from({ length: 200 }, (_, i) => String(i));
    for (let i = 0; i < numbers.length; i += 10) {
      await Promise.all(numbers.slice(i, i + 10).map((value) => sender.send([record(value)])));
    }
    expect(await values(0)).toEqual(numbers);
    expect(await producerIds(topic)).toHaveProperty('size', 10);
  });

  it('refuses more bytes than may wait as overloaded, and takes records again when there is room', async () => {
    const { sender, values } = await given({ waitingBytesMax: 1_000 });
    const taken = sender.send([record('x'.repeat(900))]);
    await expect(sender.send([record('x'.repeat(200))])).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: 500,
    });
    await taken;
    await sender.send([record('next')]);
    expect(await values(0)).toEqual(['x'.repeat(900), 'next']);
  });
});
