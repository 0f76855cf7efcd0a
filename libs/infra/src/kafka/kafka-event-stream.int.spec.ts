import { randomUUID } from 'node:crypto';
import type { StreamedEvent, StreamPosition } from '@parley/domain';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventStreamContract } from '../../../domain/src/ports/event-stream.port.contract.js';
import { KafkaEventStream } from './kafka-event-stream.js';
import { openKafkaTopics } from './kafka-topics.js';
import { testBrokers } from './test-brokers.testing.js';

const PARTITIONS = 5;
const STARTED_AT = Date.UTC(2026, 10, 1);

async function openStream(): Promise<{ stream: KafkaEventStream; reopen: () => KafkaEventStream }> {
  const connection = { brokers: testBrokers(), clientId: 'event-stream-test' };
  const topicPrefix = `t-${randomUUID()}`;
  const { events } = await openKafkaTopics({
    ...connection,
    topicPrefix,
    partitions: PARTITIONS,
    replicationFactor: 1,
  });
  const reopen = (): KafkaEventStream => new KafkaEventStream({ ...connection, topic: events });
  return { stream: reopen(), reopen };
}

/** Three events of a time, so that a time alone does not tell the place. */
function event(offset: number, index = 0, content = 'x'): StreamedEvent {
  const at = STARTED_AT + Math.floor(offset / 3);
  return {
    partition: 0,
    offset,
    index,
    conversationId: randomUUID(),
    at,
    payload: JSON.stringify({ offset, content }),
  };
}

function placesOf(events: readonly StreamPosition[]): string[] {
  return events.map(({ offset, index }) => `${offset}:${index}`);
}

eventStreamContract('Kafka', async () => {
  const { stream } = await openStream();
  return { stream, close: () => stream.close() };
});

describe('the event stream on Kafka', () => {
  async function given(): Promise<Awaited<ReturnType<typeof openStream>>> {
    const opened = await openStream();
    onTestFinished(() => opened.stream.close());
    return opened;
  }

  it('finds any place of thousands of events, whoever asks for it first', async () => {
    const { stream, reopen } = await given();
    const events = Array.from({ length: 4_000 }, (_, i) => event(i * 2));
    for (let i = 0; i < events.length; i += 250) await stream.append(events.slice(i, i + 250));
    const other = reopen();
    onTestFinished(() => other.close());
    for (const i of [0, 1, 2, 777, 2_048, 3_742, 3_998]) {
      const found = await other.read(0, { offset: i * 2, index: 0 }, 3);
      expect(placesOf(found)).toEqual(placesOf(events.slice(i + 1, i + 4)));
      // A place between two events.
      const between = await other.read(0, { offset: i * 2 + 1, index: 5 }, 3);
      expect(placesOf(between)).toEqual(placesOf(events.slice(i + 1, i + 4)));
    }
    expect(await other.read(0, { offset: 7_998, index: 0 }, 10)).toEqual([]);
    expect(await other.read(0, { offset: 99_999, index: 0 }, 10)).toEqual([]);
  });

  it('reads on to the end in pages, each event once, though a batch was appended again after later ones', async () => {
    const { stream, reopen } = await given();
    const events = Array.from({ length: 60 }, (_, i) => event(i, i % 2));
    await stream.append(events.slice(0, 20));
    await stream.append(events.slice(0, 40));
    await stream.append(events.slice(10, 25));
    await stream.append(events.slice(40));
    // What a connection that was given up still held arrives last.
    await stream.append(events.slice(30, 45));
    for (const after of [null, ...events]) {
      const reader = reopen();
      const read: StreamedEvent[] = [];
      for (let last: StreamPosition | null = after; ;) {
        const page = await reader.read(0, last, 7);
        read.push(...page);
        last = page.at(-1) ?? last;
        if (page.length < 7) break;
      }
      await reader.close();
      expect(placesOf(read)).toEqual(
        placesOf(after ? events.slice(events.indexOf(after as StreamedEvent) + 1) : events),
      );
    }
  });

  it('passes over nothing when what was appended late looks like the end', async () => {
    const { stream, reopen } = await given();
    const events = Array.from({ length: 2_000 }, (_, i) => event(i));
    await stream.append(events);
    await stream.append(events.slice(100, 500));
    for (const i of [99, 100, 499, 500, 1_500, 1_990]) {
      const other = reopen();
      onTestFinished(() => other.close());
      expect(placesOf(await other.read(0, events[i] ?? null, 20))).toEqual(placesOf(events.slice(i + 1, i + 21)));
    }
  });

  it('goes on from the place that it answered last, also when nothing was there for a while', async () => {
    const { stream } = await given();
    await stream.append([event(0), event(1)]);
    const [last] = (await stream.read(0, null, 10)).slice(-1);
    expect(await stream.read(0, last ?? null, 10)).toEqual([]);
    const later = [event(2), event(7)];
    await stream.append(later);
    expect(await stream.read(0, last ?? null, 10)).toEqual(later);
  });

  it('takes an append of several megabytes, in order', async () => {
    const { stream } = await given();
    const events = Array.from({ length: 12 }, (_, i) => event(i, 0, '🙂'.repeat(100_000)));
    await stream.append(events);
    expect(await stream.read(0, null, 100)).toEqual(events);
  });

  it('serves many readers at once', async () => {
    const { stream } = await given();
    const events = Array.from({ length: 500 }, (_, i) => event(i));
    await stream.append([...events, ...events.map((one) => ({ ...one, partition: 1 }))]);
    const reads = Array.from({ length: 40 }, (_, i) => stream.read(i % 2, { offset: i * 10, index: 0 }, 5));
    for (const [i, read] of (await Promise.all(reads)).entries()) {
      expect(placesOf(read)).toEqual(placesOf(events.slice(i * 10 + 1, i * 10 + 6)));
    }
  });

  it('refuses a partition that the topic does not have', async () => {
    const { stream } = await given();
    await expect(stream.read(PARTITIONS, null, 10)).rejects.toThrow(`partition ${PARTITIONS}`);
  });
});
