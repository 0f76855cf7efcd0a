import type { Message } from '@parley/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { Checkpoint } from '../ports/checkpoint.port.js';
import type { EventStream, StreamedEvent, StreamPosition } from '../ports/event-stream.port.js';
import type { MessageStore, MessageWrite } from '../ports/message-store.port.js';
import { NoPipelineMetrics } from '../ports/pipeline-metrics.port.js';
import { DomainError } from '../errors/domain-error.js';
import { MessageReappender } from './message-reappender.js';
import { StoreRecovery } from './store-recovery.js';

const CONVERSATION = '00000000-0000-4000-8000-0000000000c0';
const T0 = Date.UTC(2026, 10, 22);
const NEVER = new AbortController().signal;
const ALWAYS = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

function messageOf(n: number): Message {
  return {
    messageId: String(1_000 + n),
    seq: n,
    rev: n,
    conversationId: CONVERSATION,
    senderId: '00000000-0000-4000-8000-00000000000a',
    content: `message ${n}`,
    contentType: 'text',
    clientMsgId: `c${n}`,
    timestamp: new Date(T0).toISOString(),
    media: [],
    replyToMessageId: null,
    editedAt: null,
    deletedAt: null,
    reactions: [],
  };
}

/** A stream, a store that can lose everything, and progress: one record a second, each with one event. */
class Ground {
  readonly events: StreamedEvent[] = [];
  readonly stored = new Map<string, MessageWrite>();
  readonly metrics = new NoPipelineMetrics();
  reads = 0;
  failures = 0;
  nextOffset: number | null = null;
  owned = new Set([3]);
  /** Null: a node is away. */
  run: string | null = null;
  readonly marked = new Map<number, string>();
  private returned: (awaySinceMs: number) => void = () => {};

  add(event: { type: ConversationEvent['type'] } & object): void {
    const offset = this.events.length;
    const at = T0 + offset * 1_000;
    const payload = JSON.stringify({ version: 1, conversationId: CONVERSATION, at, ...event });
    this.events.push({ partition: 3, offset, index: 0, conversationId: CONVERSATION, at, payload });
  }
  send(n: number): void {
    this.add({ type: 'message-sent', message: messageOf(n), requestHash: `h${n}` } as never);
  }
  edit(n: number, rev: number, content: string): void {
    this.add({ type: 'message-edited', rev, messageId: String(1_000 + n), seq: n, content } as never);
  }
  comesBack(awaySinceMs: number): void {
    this.returned(awaySinceMs);
  }
  contents(): string[] {
    return [...this.stored.values()].map(({ message }) => message.content).toSorted();
  }

  readonly stream = {
    read: async (_partition: number, after: StreamPosition | null, limit: number) => {
      this.reads++;
      const from = after === null ? 0 : after.offset + 1;
      return this.events.slice(from, from + limit);
    },
  } as unknown as EventStream;
  readonly checkpoint = {
    progress: async (partitions: readonly number[]) =>
      partitions.map((partition) => ({
        partition,
        nextOffset: this.nextOffset ?? this.events.length,
        clock: { ms: this.events.at(-1)?.at ?? 0, counter: 0 },
      })),
  } as unknown as Checkpoint;
  readonly store = {
    append: async (writes: readonly MessageWrite[]) => {
      if (this.failures-- > 0) throw new DomainError('store_unavailable');
      for (const write of writes) {
        const known = this.stored.get(write.message.messageId);
        if (!known || known.message.rev < write.message.rev) this.stored.set(write.message.messageId, write);
      }
    },
    find: async (_conversationId: string, ids: readonly string[]) =>
      ids.flatMap((id) => this.stored.get(id)?.message ?? []),
    currentRun: async () => this.run,
    wholeIn: async (run: string, partitions: readonly number[]) =>
      new Set(partitions.filter((partition) => this.marked.get(partition) === run)),
    markWhole: async (run: string, partitions: readonly number[]) => {
      for (const partition of partitions) this.marked.set(partition, run);
    },
    onNodeReturned: (listener: (awaySinceMs: number) => void) => {
      this.returned = listener;
      return () => {};
    },
  } as unknown as MessageStore;
  readonly reappender = new MessageReappender(this, 1_000_000);
}

describe('appending messages again', () => {
  it('gives the store what it lost, as it is after its last change, with the keys of its sends', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 3; n++) ground.send(n);
    ground.edit(2, 4, 'edited');
    ground.add({ type: 'message-deleted', rev: 5, messageId: '1003', seq: 3, deletedBy: 'x' } as never);
    ground.add({ type: 'marks-advanced', marks: [] } as never);
    const count = await ground.reappender.run(3, ALWAYS, NEVER);
    expect(count).toEqual({ events: 6, messages: 3, missing: 0 });
    expect(ground.contents()).toEqual(['', 'edited', 'message 1']);
    expect(ground.stored.get('1002')).toMatchObject({ send: { clientMsgId: 'c2', requestHash: 'h2', rev: 2 } });
    expect(ground.stored.get('1003')?.message.deletedAt).not.toBeNull();
  });

  it('takes the events of the span alone, and changes what is older where it is', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 20; n++) ground.send(n);
    ground.edit(2, 21, 'edited');
    ground.edit(3, 22, 'of a message that nobody has');
    ground.stored.set('1002', { message: messageOf(2), send: null });
    const count = await ground.reappender.run(3, { fromMs: T0 + 15_000, toMs: T0 + 21_000 }, NEVER);
    expect(count).toEqual({ events: 7, messages: 6, missing: 1 });
    const sent = ['message 16', 'message 17', 'message 18', 'message 19', 'message 20'];
    expect(ground.contents()).toEqual(['edited', ...sent]);
    ground.stored.clear();
    await ground.reappender.run(3, { fromMs: T0 + 2_000, toMs: T0 + 3_000 }, NEVER);
    expect(ground.contents()).toEqual(['message 3', 'message 4']);
  });

  it('leaves out what is not committed: it may still be decided otherwise', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 5; n++) ground.send(n);
    ground.nextOffset = 3;
    await ground.reappender.run(3, ALWAYS, NEVER);
    expect(ground.contents()).toEqual(['message 1', 'message 2', 'message 3']);
  });

  it('finds the begin of the span without reading all that is before it', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 100_000; n++) ground.send(n);
    for (const first of [99_990, 60_000, 3]) {
      ground.stored.clear();
      ground.reads = 0;
      const fromMs = T0 + (first - 1) * 1_000;
      await ground.reappender.run(3, { fromMs, toMs: fromMs + 4_000 }, NEVER);
      expect(ground.contents()).toHaveLength(5);
      expect(ground.stored.has(String(1_000 + first))).toBe(true);
      expect(ground.reads).toBeLessThan(30);
    }
  });

  it('asks no more of the store than its rate', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 2_000; n++) ground.send(n);
    const began = performance.now();
    await new MessageReappender(ground, 4_000).run(3, ALWAYS, NEVER);
    expect(performance.now() - began).toBeGreaterThan(350);
  });

  it('leaves a slow store as much time for others as it takes, and asks for few messages at once', async () => {
    const ground = new Ground();
    for (let n = 1; n <= 300; n++) ground.send(n);
    const append = ground.store.append.bind(ground.store);
    const sizes: number[] = [];
    let appendingMs = 0;
    ground.store.append = async (writes) => {
      sizes.push(writes.length);
      const began = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 20));
      await append(writes);
      appendingMs += performance.now() - began;
    };
    const began = performance.now();
    await ground.reappender.run(3, ALWAYS, NEVER);
    // Timers may fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThan(2 * appendingMs - 10);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(100);
    expect(ground.contents()).toHaveLength(300);
  });
});

describe('the recovery of a store', () => {
  let now = 0;
  let ground: Ground;
  let reports: object[];
  let troubles: unknown[];
  let recovery: StoreRecovery;
  beforeEach(() => {
    vi.useFakeTimers();
    now = T0 + 3_600_000;
    ground = new Ground();
    reports = [];
    troubles = [];
    for (let n = 1; n <= 100; n++) ground.send(n);
    recovery = recoveryWith(10_000);
  });
  afterEach(async () => {
    await recovery.stop();
    vi.useRealTimers();
  });
  const recoveryWith = (windowMs: number): StoreRecovery =>
    new StoreRecovery({ ...portsOf(ground), owned: () => ground.owned }, ground.reappender, {
      windowMs,
      now: () => now,
      onReport: (_what, figures) => reports.push(figures),
      onTrouble: (_what, error) => troubles.push(error),
    });
  const portsOf = ({ store, checkpoint, metrics }: Ground) => ({ store, checkpoint, metrics });
  /** Starts with nothing to do, after the time in which a start looks for last events. */
  async function startQuietly(): Promise<void> {
    recovery.start();
    await pass(70_000);
    ground.stored.clear();
    reports = [];
  }
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      now += 1_000;
      await vi.advanceTimersByTimeAsync(1_000);
    }
  }

  it('appends again what came shortly before a node went, when the node is back, and says so', async () => {
    await startQuietly();
    expect(ground.contents()).toEqual([]);
    ground.comesBack(T0 + 50_000);
    await pass(1_000);
    // From ten seconds before that; an event a minute later may have been acknowledged before anybody noticed.
    expect(ground.stored.size).toBe(60);
    expect(ground.stored.has('1040')).toBe(false);
    expect(ground.stored.has('1041')).toBe(true);
    expect(reports.at(-1)).toMatchObject({ events: 60, messages: 60, missing: 0 });
  });

  it('does so at a start for the last messages of its partitions, whenever they were, and only then while a node is away', async () => {
    recovery.start();
    await pass(1_000);
    expect(ground.stored.size).toBe(11);
    ground.stored.clear();
    await pass(600_000);
    expect(ground.stored.size).toBe(0);
    // Taken much later, from somebody who saw what happened.
    ground.owned = new Set([4]);
    await pass(2_000);
    ground.owned = new Set([3, 4]);
    await pass(2_000);
    expect(ground.stored.size).toBe(0);
  });

  it('does nothing at a start for partitions that were whole, as long as no node has started since', async () => {
    ground.run = 'one';
    recovery.start();
    await pass(3_000);
    expect(ground.stored.size).toBe(11);
    expect(ground.marked.get(3)).toBe('one');
    // The next process, after whatever end of this one.
    await recovery.stop();
    ground.stored.clear();
    recovery = recoveryWith(10_000);
    recovery.start();
    await pass(600_000);
    expect(ground.stored.size).toBe(0);
    await recovery.stop();
    ground.run = 'two';
    recovery = recoveryWith(10_000);
    recovery.start();
    await pass(3_000);
    expect(ground.stored.size).toBe(11);
    expect(ground.marked.get(3)).toBe('two');
  });

  it('does it for a partition that it takes later, if nobody has since a node started', async () => {
    ground.run = 'two';
    ground.owned = new Set();
    ground.marked.set(3, 'one');
    await startQuietly();
    ground.owned = new Set([3]);
    await pass(3_000);
    expect(ground.stored.size).toBe(11);
    expect(ground.marked.get(3)).toBe('two');
  });

  it('calls whole what a node that is back has again, not before it has all of it, and not while one is away', async () => {
    ground.run = 'one';
    await startQuietly();
    ground.marked.clear();
    ground.run = 'two';
    ground.failures = 1;
    ground.comesBack(T0 + 50_000);
    await pass(1_000);
    expect(ground.marked.get(3)).toBeUndefined();
    await pass(4_000);
    expect(ground.stored.size).toBe(60);
    expect(ground.marked.get(3)).toBe('two');
    ground.marked.clear();
    ground.run = null;
    ground.comesBack(T0 + 50_000);
    await pass(3_000);
    expect(ground.marked.get(3)).toBeUndefined();
  });

  it('does not call whole what a stop has cut short', async () => {
    ground.run = 'one';
    for (let n = 101; n <= 2_000; n++) ground.send(n);
    recovery = recoveryWith(10_000_000);
    const append = ground.store.append.bind(ground.store);
    const stops: Promise<void>[] = [];
    ground.store.append = async (writes) => {
      stops.push(recovery.stop());
      await append(writes);
    };
    recovery.start();
    await pass(3_000);
    await Promise.all(stops);
    expect(stops).toHaveLength(1);
    expect(ground.stored.size).toBe(100);
    expect(ground.marked.get(3)).toBeUndefined();
  });

  it('calls a partition without messages whole', async () => {
    ground.events.length = 0;
    ground.run = 'one';
    recovery.start();
    await pass(3_000);
    expect(ground.marked.get(3)).toBe('one');
  });

  it('does it for a partition too whose owner ended before it could', async () => {
    ground.owned = new Set();
    await startQuietly();
    ground.comesBack(T0 + 50_000);
    await pass(30_000);
    expect(ground.stored.size).toBe(0);
    ground.owned = new Set([3]);
    await pass(2_000);
    expect(ground.stored.size).toBe(60);
  });

  it('begins again while the store fails, with pauses, and gives up nothing', async () => {
    await startQuietly();
    ground.failures = 3;
    ground.comesBack(T0 + 50_000);
    await pass(2_000);
    expect(ground.stored.size).toBe(0);
    await pass(10_000);
    expect(ground.stored.size).toBe(60);
    expect(troubles).toHaveLength(3);
  });

  it('does nothing with a window of nothing, or for a store that loses nothing', async () => {
    recovery = recoveryWith(0);
    recovery.start();
    ground.comesBack(T0 + 50_000);
    await pass(2_000);
    expect(ground.stored.size).toBe(0);
    recovery = recoveryWith(10_000);
    ground.store.onNodeReturned = () => null;
    recovery.start();
    await pass(2_000);
    expect(ground.stored.size).toBe(0);
  });
});
