import { checkSameLog, LogReplaced, LogTruncated, partitionOf, recordHash } from '@parley/domain';
import { Admin } from '@platformatic/kafka';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendRecord } from '../../../domain/src/ports/testing/send-record.js';
import { commandLogContract } from '../../../domain/src/ports/command-log.port.contract.js';
import { clientOptions } from './kafka-client.js';
import { KafkaCommandLog, type KafkaCommandLogOptions } from './kafka-command-log.js';
import { GROUP_BYTES_MAX, type OutgoingRecord, RecordSender } from './record-sender.js';
import { connectionTo, fromZero, openTestTopics, readSome } from './test-brokers.testing.js';

const PARTITIONS = 4;
const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-000000000001';

async function openLog(partitions: number, options: Partial<KafkaCommandLogOptions> = {}): Promise<KafkaCommandLog> {
  const topic = options.topic ?? (await openTestTopics(partitions)).commands;
  const log = new KafkaCommandLog({ ...connectionTo(), topic, partitions, ...options });
  onTestFinished(() => log.close());
  return log;
}

function senderTo(topic: string): RecordSender {
  const sender = new RecordSender({
    ...connectionTo(),
    topic,
    waitingRecordsMax: 10_000,
    waitingBytesMax: 2 * GROUP_BYTES_MAX,
  });
  onTestFinished(() => sender.close());
  return sender;
}

commandLogContract('Kafka', async () => {
  const { commands } = await openTestTopics(PARTITIONS);
  const log = new KafkaCommandLog({ ...connectionTo(), topic: commands, partitions: PARTITIONS });
  return { log, start: fromZero(PARTITIONS), close: () => log.close() };
});

describe('the command log on Kafka', () => {
  it('gives a record the same time wherever reading begins, though the clock of the brokers stepped back', async () => {
    // A topic that keeps the sender's time, so that the clock is ours.
    const { events: topic } = await openTestTopics(1);
    const times = [5_000, 7_000, 9_000, 3_000, 3_001, 8_999, 9_000, 9_001, 4_000, 12_000, 1_000];
    const sender = senderTo(topic);
    for (const time of times) {
      const value = Buffer.from(JSON.stringify(sendRecord(CONVERSATION)));
      await sender.send([{ partition: 0, key: Buffer.from(CONVERSATION), value, timestamp: BigInt(time) }]);
    }
    const expected = [5_000, 7_000, 9_000, 9_000, 9_000, 9_000, 9_000, 9_001, 9_001, 12_000, 12_000];
    for (let from = 0; from < times.length; from += 1) {
      const log = await openLog(1, { topic });
      const read = await readSome(log, new Map([[0, from]]), times.length - from);
      expect(read.map(({ at }) => at)).toEqual(expected.slice(from));
    }
  });

  it('hands out what nobody can decide as unreadable, at its offset, and goes on', async () => {
    const { commands: topic } = await openTestTopics(1);
    const sender = senderTo(topic);
    const good = sendRecord(CONVERSATION);
    const values = ['no JSON', '{"version":99}', '', JSON.stringify(good)];
    const records = values.map((value): OutgoingRecord => {
      return { partition: 0, key: Buffer.from('k'), value: Buffer.from(value) };
    });
    await sender.send(records);
    const read = await readSome(await openLog(1, { topic }), fromZero(1), values.length);
    expect(read.map(({ offset, payload }) => [offset, payload])).toEqual([...values.entries()]);
    expect(read.map(({ record }) => record)).toEqual([null, null, null, good]);
  });

  it("does not let a record be decided that was put into another partition than its conversation's", async () => {
    const { commands: topic } = await openTestTopics(PARTITIONS);
    const value = Buffer.from(JSON.stringify(sendRecord(CONVERSATION)));
    const records = [...fromZero(PARTITIONS).keys()].map((partition) => ({ partition, key: Buffer.from('k'), value }));
    await senderTo(topic).send(records);
    const read = await readSome(await openLog(PARTITIONS, { topic }), fromZero(PARTITIONS), PARTITIONS);
    expect(read).toHaveLength(PARTITIONS);
    expect(read.filter(({ record }) => record !== null)).toHaveLength(1);
  });

  it('takes messages of 100,000 characters of four bytes, and of as many control characters', async () => {
    const log = await openLog(1);
    const contents = ['🙂'.repeat(100_000), '\u0001'.repeat(100_000), '🙂'.repeat(100_000)];
    const records = contents.map((content) => sendRecord(CONVERSATION, content));
    await log.append(records);
    await Promise.all(records.map((record) => log.append([record])));
    const read = await readSome(log, fromZero(1), 6);
    expect(read.map(({ record }) => record)).toEqual([...records, ...records]);
  });

  it('refuses more at once than a batch of the topic may hold, and takes the next', async () => {
    const log = await openLog(1);
    const tooLarge = sendRecord(CONVERSATION, 'x'.repeat(GROUP_BYTES_MAX));
    await expect(log.append([tooLarge])).rejects.toMatchObject({ code: 'payload_too_large' });
    const next = sendRecord(CONVERSATION);
    await log.append([next]);
    expect((await readSome(log, fromZero(1), 1)).map(({ record }) => record)).toEqual([next]);
  });

  it('refuses an offset whose records are gone, and reads on from where the log begins', async () => {
    const { commands: topic } = await openTestTopics(1);
    const log = await openLog(1, { topic });
    const records = Array.from({ length: 6 }, () => sendRecord(CONVERSATION));
    await log.append(records);
    const admin = new Admin(clientOptions(connectionTo()));
    onTestFinished(() => admin.close());
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 4n }] }] });
    const refused = readSome(log, fromZero(1), 1);
    await expect(refused).rejects.toEqual(new LogTruncated(0, 0, { start: 4, end: 6 }));
    const read = await readSome(log, new Map([[0, 4]]), 2);
    expect(read.map(({ record }) => record)).toEqual(records.slice(4));
  });

  it('reads every partition in turn when one alone would fill each answer', async () => {
    const log = await openLog(PARTITIONS);
    const busy = Array.from({ length: 3_000 }, () => sendRecord(CONVERSATION));
    for (let i = 0; i < busy.length; i += 500) await log.append(busy.slice(i, i + 500));
    const partition = partitionOf(CONVERSATION, PARTITIONS);
    const others = 'abcdefghij'.split('').filter((name) => partitionOf(name, PARTITIONS) !== partition);
    await log.append(others.map((name) => sendRecord(name)));
    const positions = fromZero(PARTITIONS);
    const seen = new Set<string | undefined>();
    for (let reads = 0; reads < 12; reads += 1) {
      for (const { partition, offset, record } of await log.read(positions, 100, 1_000)) {
        positions.set(partition, offset + 1);
        seen.add(record?.conversationId);
      }
    }
    expect(seen).toEqual(new Set([CONVERSATION, ...others]));
  });

  it('hands a record over to a reader that waits for it within milliseconds, whatever the partition', async () => {
    const log = await openLog(PARTITIONS);
    const positions = fromZero(PARTITIONS);
    await log.read(positions, 10, 300);
    const tookMs: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      const startedAt = performance.now();
      const reading = log.read(positions, 10, 5_000);
      await log.append([sendRecord(`conversation ${i}`)]);
      for (const { partition, offset } of await reading) positions.set(partition, offset + 1);
      tookMs.push(performance.now() - startedAt);
    }
    expect(tookMs.toSorted((a, b) => a - b)[20]).toBeLessThan(100);
  });

  it('hands out everything at once that came while the reader was at work', async () => {
    const log = await openLog(PARTITIONS);
    const names = Array.from({ length: 12 }, (_, i) => `conversation ${i}`);
    await log.append([sendRecord(CONVERSATION)]);
    const [first] = await readSome(log, fromZero(PARTITIONS), 1);
    const positions = fromZero(PARTITIONS).set(first?.partition ?? 0, 1);
    for (const name of names) await log.append([sendRecord(name)]);
    const read = await log.read(positions, 100, 0);
    expect(new Set(read.map(({ record }) => record?.conversationId))).toEqual(new Set(names));
  });

  it('tells whoever takes a partition over that the log lost its end, or has grown again since', async () => {
    const { commands: topic } = await openTestTopics(1);
    const admin = new Admin(clientOptions(connectionTo()));
    onTestFinished(() => admin.close());
    const log = await openLog(1, { topic });
    await log.append([sendRecord(CONVERSATION), sendRecord(CONVERSATION)]);
    const last = (await readSome(log, fromZero(1), 2)).at(-1);
    const lastRecordHash = recordHash(last?.payload ?? '');
    const progress = [{ partition: 0, epoch: 1, nextOffset: 2, clock: { ms: 0, counter: 0 }, lastRecordHash }];
    await checkSameLog(log, progress);
    await log.close();

    await admin.deleteTopics({ topics: [topic] });
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    const other = await openLog(1, { topic });
    await other.append([sendRecord(CONVERSATION)]);
    await expect(checkSameLog(other, progress)).rejects.toEqual(new LogTruncated(0, 1, { start: 0, end: 1 }));
    await other.append([sendRecord(CONVERSATION)]);
    await expect(checkSameLog(other, progress)).rejects.toEqual(new LogReplaced(0, 1));
    // What the retention removed cannot be compared.
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 2n }] }] });
    await checkSameLog(other, progress);
  });

  it('answers each of two readers that wait at once, though they ask for different partitions', async () => {
    const log = await openLog(PARTITIONS);
    const startedAt = performance.now();
    const reads = [0, 1].map((partition) => log.read(new Map([[partition, 0]]), 10, 700));
    expect(await Promise.all(reads)).toEqual([[], []]);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('refuses appends once it is closed, and ends a read that waits', async () => {
    const log = await openLog(1);
    const reading = log.read(fromZero(1), 10, 20_000);
    await log.close();
    expect(await reading).toEqual([]);
    await expect(log.append([sendRecord(CONVERSATION)])).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
