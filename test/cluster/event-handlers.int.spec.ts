import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { KafkaEventStream } from '../../libs/infra/src/kafka/index.js';
import { connectionTo, openTestTopics } from '../../libs/infra/src/kafka/test-brokers.testing.js';
import { HandlerHarness, TestHandler } from '../../libs/infra/src/postgres/event-handlers/handler-harness.testing.js';

const PARTITIONS = 2;
const soon = { timeout: 20_000, interval: 20 };

describe('a durable event handler on a stream in Kafka', () => {
  let stream: KafkaEventStream;
  let harness: HandlerHarness;
  beforeAll(async () => {
    const { events: topic } = await openTestTopics(PARTITIONS);
    stream = new KafkaEventStream({ ...connectionTo(), topic });
    harness = await HandlerHarness.start(PARTITIONS, stream);
  });
  afterAll(async () => {
    await harness.close();
    await stream.close();
  });

  it('handles in order, again what failed, once what was appended twice, and goes on after a stop', async () => {
    let failures = 2;
    const handler = new TestHandler(async (event) => {
      if ((event as { name: string }).name === 'a1' && failures-- > 0) throw new Error('not yet');
    });
    const first = harness.run(handler);
    await harness.decide(['a1', 'b1', 'a2', 'b2']);
    await vi.waitFor(() => expect(handler.handled.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']), soon);
    expect(handler.handled.indexOf('a1')).toBeLessThan(handler.handled.indexOf('a2'));

    // As an owner does that was killed between the stream and its checkpoint: the same places, once more.
    const repeated = harness.eventsOf(['a3', 'b3']);
    await stream.append(repeated);
    await stream.append(repeated);
    await harness.settle(harness.nextOffset);
    await harness.decide(['b4'], 1);
    await vi.waitFor(() => expect(handler.handled).toHaveLength(7), soon);
    await first.stop();

    const next = new TestHandler();
    harness.run(next);
    await harness.decide(['a4', 'a5']);
    await vi.waitFor(() => expect(next.handled).toEqual(['a4', 'a5']), soon);
    expect(handler.handled.filter((name) => name === 'a3')).toHaveLength(1);
  });

  it('begins behind what is decided when it is new', async () => {
    class Newcomer extends TestHandler {
      override readonly name = 'newcomer' as 'test-handler';
      override readonly begin = 'now' as 'beginning';
    }
    await harness.decide(['c1', 'c2']);
    const handler = new Newcomer();
    harness.run(handler, 'newcomer');
    await vi.waitFor(async () => expect(await harness.progress.renew('newcomer', 'newcomer')).toHaveLength(2), soon);
    await harness.decide(['c3']);
    await vi.waitFor(() => expect(handler.handled).toEqual(['c3']), soon);
  });
});
