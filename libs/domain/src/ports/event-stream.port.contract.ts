import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventStream, StreamedEvent } from './event-stream.port.js';

export interface EventStreamUnderTest {
  stream: EventStream;
  close?: () => Promise<void>;
}

const CONVERSATION = '00000000-0000-4000-8000-0000000000c0';

function event(partition: number, offset: number, index: number): StreamedEvent {
  const at = Date.UTC(2026, 10, 22) + offset;
  return {
    partition,
    offset,
    index,
    conversationId: CONVERSATION,
    at,
    payload: `{"n":"${partition}:${offset}:${index}"}`,
  };
}

/** What every event stream keeps to. Each test uses partitions of its own. */
export function eventStreamContract(name: string, make: () => Promise<EventStreamUnderTest>): void {
  describe(`event stream: ${name}`, () => {
    let opened: EventStreamUnderTest;
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(async () => opened.close?.());

    it('reads the events of a partition in order, from the beginning and after a position', async () => {
      const { stream } = opened;
      const events = [event(1, 0, 0), event(1, 0, 1), event(1, 2, 0), event(1, 10, 0)];
      await stream.append(events.slice(0, 2));
      await stream.append(events.slice(2));
      expect(await stream.read(1, null, 10)).toEqual(events);
      expect(await stream.read(1, { offset: 0, index: 0 }, 10)).toEqual(events.slice(1));
      expect(await stream.read(1, { offset: 2, index: 0 }, 10)).toEqual(events.slice(3));
      expect(await stream.read(1, null, 3)).toEqual(events.slice(0, 3));
    });

    it('keeps partitions apart', async () => {
      await opened.stream.append([event(2, 0, 0), event(3, 0, 0)]);
      expect(await opened.stream.read(2, null, 10)).toEqual([event(2, 0, 0)]);
    });

    it('shows an event once that is appended again, as it was at first', async () => {
      await opened.stream.append([event(4, 0, 0)]);
      await opened.stream.append([event(4, 0, 0), event(4, 1, 0)]);
      expect(await opened.stream.read(4, null, 10)).toEqual([event(4, 0, 0), event(4, 1, 0)]);
    });
  });
}
