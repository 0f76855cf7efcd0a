import { describe, expect, it, vi } from 'vitest';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { StreamedEvent, StreamPosition } from '../ports/event-stream.port.js';
import type {
  AttemptOutcome,
  DueEvent,
  HandlerProgress,
  HandlerTerm,
  HeldEvent,
} from '../ports/handler-progress.port.js';
import { AttemptSlots } from './attempt-slots.js';
import { DurableEventHandler, type EventDelivery, RETRY_PAUSE_MS_MAX, retryPauseMs } from './durable-event-handler.js';
import { HELD_EVENTS_MAX, PartitionWindow, WINDOW_EVENTS_MAX } from './partition-window.js';

type Script = (delivery: EventDelivery) => Promise<void>;

class Scripted extends DurableEventHandler {
  override readonly name = 'scripted';
  override readonly appliesTo = ['conversation-renamed'] as const;
  override readonly concurrencyMax = 3;
  running = 0;
  most = 0;

  constructor(private readonly script: Script) {
    super();
  }

  override async handle(_event: ConversationEvent, delivery: EventDelivery): Promise<void> {
    this.most = Math.max(this.most, ++this.running);
    await this.script(delivery).finally(() => (this.running -= 1));
  }
}

/** What was written down, and the held events that are due at once. */
class WrittenProgress {
  position: StreamPosition | null = null;
  held: HeldEvent[] = [];
  isMine = true;

  waiting = (): Promise<Map<string, number>> => Promise.resolve(new Map());
  advance = (_term: HandlerTerm, position: StreamPosition, held: readonly HeldEvent[]): Promise<boolean> => {
    if (!this.isMine) return Promise.resolve(false);
    this.position = position;
    this.held.push(...held);
    return Promise.resolve(true);
  };
  due = (_term: HandlerTerm, limit: number): Promise<DueEvent[]> =>
    Promise.resolve(this.held.slice(0, limit).map((event) => ({ ...event, late: false })));
  settle = (_term: HandlerTerm, place: StreamPosition, outcome: AttemptOutcome): Promise<boolean> => {
    if (outcome.handled) this.held = this.held.filter(({ offset }) => offset !== place.offset);
    return Promise.resolve(this.isMine);
  };
}

function events(from: number, count: number, ofOne?: string): StreamedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const offset = from + index;
    const conversationId = ofOne ?? `conversation-${offset}`;
    const payload = JSON.stringify({ type: 'conversation-renamed', conversationId });
    return { partition: 0, offset, index: 0, conversationId, at: 0, payload };
  });
}

function open(script: Script): { window: PartitionWindow; progress: WrittenProgress; handler: Scripted } {
  const [handler, progress] = [new Scripted(script), new WrittenProgress()];
  const slots = new AttemptSlots(handler.concurrencyMax);
  const parts = { handler, progress: progress as unknown as HandlerProgress, slots };
  return { window: new PartitionWindow(parts, { partition: 0, epoch: 1, position: null }), progress, handler };
}

const never = (): Promise<void> => new Promise(() => {});

describe('the window of a partition', () => {
  it(`reads ${WINDOW_EVENTS_MAX} events ahead and no more, and begins as many as the handler may`, async () => {
    const { window, progress, handler } = open(never);
    window.take(events(0, WINDOW_EVENTS_MAX));
    expect(window.room).toBe(0);
    await vi.waitFor(() => expect(handler.most).toBe(3));
    expect(await window.save()).toBe(true);
    expect(progress.position).toBeNull();
    await window.stop(0);
    expect(handler.most).toBe(3);
  });

  it(`lets ${HELD_EVENTS_MAX} events wait for another attempt, then reads nothing until some are handled`, async () => {
    let broken = true;
    const { window, progress } = open(() => (broken ? Promise.reject(new Error('down')) : Promise.resolve()));
    for (let from = 0; from < HELD_EVENTS_MAX; from += WINDOW_EVENTS_MAX) {
      window.take(events(from, WINDOW_EVENTS_MAX));
      await vi.waitFor(() => expect(window.heldEvents).toBe(from + WINDOW_EVENTS_MAX), {
        timeout: 10_000,
        interval: 5,
      });
      await window.save();
    }
    expect(progress.position).toMatchObject({ offset: HELD_EVENTS_MAX - 1, index: 0 });
    expect(progress.held).toHaveLength(HELD_EVENTS_MAX);
    expect(window.room).toBe(0);
    broken = false;
    await window.retry();
    await vi.waitFor(() => expect(window.room).toBe(WINDOW_EVENTS_MAX));
  }, 30_000);

  it('handles in one look all that waits in a conversation, and behind it what came meanwhile', async () => {
    let broken = true;
    const handled: number[] = [];
    const ends: (() => void)[] = [];
    const { window, progress } = open(async ({ place }) => {
      if (broken) throw new Error('down');
      await new Promise<void>((resolve) => ends.push(resolve));
      handled.push(place.offset);
    });
    window.take(events(0, 3, 'one'));
    await vi.waitFor(() => expect(window.heldEvents).toBe(3));
    await window.save();
    broken = false;
    await window.retry();
    window.take(events(3, 1, 'one'));
    for (let offset = 0; offset <= 3; offset++) {
      await vi.waitFor(() => expect(ends).toHaveLength(offset + 1));
      ends[offset]!();
    }
    await vi.waitFor(() => expect(handled).toEqual([0, 1, 2, 3]));
    await window.save();
    expect(progress.held).toEqual([]);
    expect(window.heldEvents).toBe(0);
  });

  it('holds an event whatever it was that the handler threw', async () => {
    const thrown: unknown[] = [Object.create(null), null, new Error('with \0 in it'), 'text'];
    const { window, progress } = open(({ place }) => Promise.reject(thrown[place.offset]));
    window.take(events(0, thrown.length));
    await vi.waitFor(() => expect(window.heldEvents).toBe(thrown.length));
    await window.save();
    const errors = progress.held.map(({ lastError }) => lastError);
    expect(errors).toEqual(['Threw what has no text', 'null', 'Error: with  in it', 'text']);
  });

  it('stands where the first event does that is not finished', async () => {
    const ends: (() => void)[] = [];
    const { window } = open(() => new Promise((resolve) => ends.push(resolve)));
    window.take(events(5, 3));
    window.readTo = 8;
    await vi.waitFor(() => expect(ends).toHaveLength(3));
    expect(window.finishedTo).toBe(5);
    ends[0]!();
    ends[2]!();
    await vi.waitFor(() => expect(window.finishedTo).toBe(6));
    ends[1]!();
    await vi.waitFor(() => expect(window.finishedTo).toBe(8));
  });

  it('writes down only what is finished from the beginning on, and says when it is another’s', async () => {
    const ends: (() => void)[] = [];
    const { window, progress } = open(() => new Promise((resolve) => ends.push(resolve)));
    window.take(events(0, 3));
    await vi.waitFor(() => expect(ends).toHaveLength(3));
    ends[1]!();
    await vi.waitFor(async () => expect(await window.save()).toBe(true));
    expect(progress.position).toBeNull();
    ends[0]!();
    await vi.waitFor(async () => {
      await window.save();
      expect(progress.position).toMatchObject({ offset: 1, index: 0 });
    });
    progress.isMine = false;
    ends[2]!();
    await vi.waitFor(async () => expect(await window.save()).toBe(false));
    expect(progress.position).toMatchObject({ offset: 1, index: 0 });
  });
});

describe('the pause before another attempt', () => {
  it('doubles, is spread over its upper half, and ends at five minutes', () => {
    expect([1, 2, 3].map((attempts) => retryPauseMs(1_000, attempts, 1))).toEqual([1_000, 2_000, 4_000]);
    expect(retryPauseMs(1_000, 3, 0)).toBe(2_000);
    expect(retryPauseMs(1_000, 1_000, 1)).toBe(RETRY_PAUSE_MS_MAX);
  });
});
