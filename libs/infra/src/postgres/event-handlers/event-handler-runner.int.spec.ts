import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { HANDLER_PACE } from '@parley/domain';
import { HandlerHarness, TestHandler } from './handler-harness.testing.js';

const soon = { timeout: 15_000, interval: 20 };
const names = (conversation: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${conversation}${from + index}`);

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('cut off'))));
}

describe('a durable event handler', () => {
  let server: TestPostgres;
  let harness: HandlerHarness;
  // Keeps the server that the databases of the tests are on.
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    harness = await HandlerHarness.start();
  });
  afterEach(() => harness.close());

  it('handles the events of a conversation in their order, one at a time, and several conversations at once', async () => {
    let [running, most] = [0, 0];
    const busy = new Set<string>();
    const handler = new TestHandler(async ({ conversationId }) => {
      expect(busy.has(conversationId)).toBe(false);
      busy.add(conversationId);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
      running -= 1;
      busy.delete(conversationId);
    });
    const mixed = names('a', 1, 40).flatMap((_, index) => ['a', 'b', 'c'].map((name) => `${name}${index + 1}`));
    harness.run(handler);
    await harness.decide(mixed);
    await vi.waitFor(() => expect(handler.handled).toHaveLength(120), soon);
    for (const conversation of 'abc') {
      expect(handler.handled.filter((name) => name[0] === conversation)).toEqual(names(conversation, 1, 40));
    }
    expect(most).toBeGreaterThan(1);
  });

  it('does not see an event before it is decided for good', async () => {
    const handler = new TestHandler();
    await harness.decide(['a1', 'a2']);
    await harness.settle(1);
    harness.run(handler);
    await vi.waitFor(() => expect(handler.handled).toEqual(['a1']), soon);
    await harness.settle(2);
    await vi.waitFor(() => expect(handler.handled).toEqual(['a1', 'a2']), soon);
  });

  it('tries a failed event again before the later ones of its conversation, while others go on', async () => {
    let failures = 2;
    const seen: string[] = [];
    const handler = new TestHandler(async (event, { attempt }) => {
      const name = (event as { name: string }).name;
      seen.push(`${name}#${attempt}`);
      if (name === 'a1' && failures-- > 0) throw new Error('not yet');
    });
    harness.run(handler);
    await harness.decide(['a1', 'b1', 'a2', 'b2', 'a3']);
    await vi.waitFor(() => expect(handler.handled).toHaveLength(5), soon);
    expect(handler.handled.slice(0, 2)).toEqual(['b1', 'b2']);
    expect(seen.filter((name) => name.startsWith('a'))).toEqual(['a1#1', 'a1#2', 'a1#3', 'a2#1', 'a3#1']);
  });

  it('catches up with a busy conversation after an outage, at its usual pace', async () => {
    let broken = true;
    const handler = new TestHandler(() => (broken ? Promise.reject(new Error('down')) : Promise.resolve()));
    handler.attemptsMax = 1_000;
    harness.run(handler, 'usual', HANDLER_PACE);
    await harness.decide(names('a', 1, 60));
    await vi.waitFor(async () => {
      const { rows } = await harness.test.database.pool.query('SELECT count(*)::int AS held FROM event_handler_held');
      expect(rows).toEqual([{ held: 60 }]);
    }, soon);
    broken = false;
    await harness.decide(names('a', 61, 70));
    await vi.waitFor(() => expect(handler.handled).toHaveLength(70), soon);
    expect(handler.handled).toEqual(names('a', 1, 70));
  });

  it('sets an event aside after its last attempt, goes on behind it, and handles it when somebody asks for it', async () => {
    let broken = true;
    const handler = new TestHandler(async (event) => {
      if (broken && (event as { name: string }).name === 'a1') throw new Error('poison');
    });
    harness.run(handler);
    await harness.decide(['a1', 'a2', 'b1']);
    await vi.waitFor(() => expect(handler.handled.toSorted()).toEqual(['a2', 'b1']), soon);
    const [letter] = await harness.progress.deadLetters(null, null, 10);
    expect(letter).toMatchObject({ handler: 'test-handler', attempts: 3, lastError: 'Error: poison', offset: 0 });
    broken = false;
    await harness.progress.retryDeadLetter(letter!);
    await vi.waitFor(() => expect(handler.handled).toContain('a1'), soon);
    expect(await harness.progress.deadLetters(null, null, 10)).toEqual([]);
  });

  it('gives up at once what is no event, and what hangs when its time is over', async () => {
    class Impatient extends TestHandler {
      override readonly attemptMsMax = 50;
      override attemptsMax = 1;
    }
    const handler = new Impatient((event, { signal }) =>
      (event as { name: string }).name === 'a1' ? never(signal) : Promise.resolve(),
    );
    const unreadable = { partition: 0, offset: 0, index: 0, conversationId: '00000000-0000-4000-8000-00000000000a' };
    await harness.stream.append([{ ...unreadable, at: 1, payload: '{"type":' }]);
    harness.nextOffset = 1;
    harness.run(handler);
    await harness.decide(['a1', 'a2']);
    await vi.waitFor(() => expect(handler.handled).toEqual(['a2']), soon);
    await vi.waitFor(async () => expect(await harness.progress.deadLetters(null, null, 10)).toHaveLength(2), soon);
    const errors = (await harness.progress.deadLetters(null, null, 10)).map(({ lastError }) => lastError);
    expect(errors).toEqual(['Not an event', 'Took longer than 50 ms']);
  });

  it('goes on where it stopped: what had ended is not repeated, what was cut off is', async () => {
    const handler = new TestHandler((event, { signal }) =>
      (event as { name: string }).name === 'b1' ? never(signal) : Promise.resolve(),
    );
    const first = harness.run(handler);
    await harness.decide(['a1', 'b1', 'a2']);
    await vi.waitFor(() => expect(handler.handled).toEqual(['a1', 'a2']), soon);
    await first.stop();
    const next = new TestHandler();
    harness.run(next);
    await harness.decide(['a3']);
    await vi.waitFor(() => expect(next.handled).toEqual(expect.arrayContaining(['b1', 'a3'])), soon);
    // a2 stands behind b1, so it is handled twice; a1 is not.
    expect(next.handled).not.toContain('a1');
  });

  it('keeps what waits, and how often it was tried, over a restart', async () => {
    let open = false;
    const attempts: number[] = [];
    const handling = async (event: unknown, { attempt }: { attempt: number }): Promise<void> => {
      if ((event as { name: string }).name === 'a1') attempts.push(attempt);
      if (!open) throw new Error('closed');
    };
    const handler = new TestHandler(handling);
    handler.attemptsMax = 1_000;
    const first = harness.run(handler);
    await harness.decide(['a1', 'a2']);
    await vi.waitFor(() => expect(attempts.length).toBeGreaterThan(2), soon);
    await first.stop();
    const before = attempts.length;
    open = true;
    const next = new TestHandler(handling);
    harness.run(next);
    await vi.waitFor(() => expect(next.handled).toEqual(['a1', 'a2']), soon);
    expect(attempts.at(before)).toBeGreaterThan(2);
  });

  it('is behind by nothing when the latest records had no events', async () => {
    const handler = new TestHandler();
    harness.run(handler);
    await harness.decide(['a1', 'a2']);
    await harness.decide(['b1'], 1);
    await harness.settle(7);
    const behind = async (): Promise<unknown> => (await harness.progress.standings()).map((each) => each.behindRecords);
    await vi.waitFor(async () => expect(await behind()).toEqual([0]), soon);
    harness.nextOffset = 7;
    await harness.decide(['a3']);
    await vi.waitFor(() => expect(handler.handled).toEqual(expect.arrayContaining(['a1', 'a2', 'a3', 'b1'])), soon);
  });

  it('passes over what is there while it has nothing to do', async () => {
    let idle = true;
    class Idle extends TestHandler {
      override hasNothingToDo(): boolean {
        return idle;
      }
    }
    const handler = new Idle();
    harness.run(handler);
    await harness.decide(['a1', 'a2']);
    const read = vi.spyOn(harness.stream, 'read');
    await vi.waitFor(async () => {
      const { rows } = await harness.test.database.pool.query('SELECT position_offset FROM event_handler_progress');
      expect(rows.map((row) => Number(row.position_offset))).toContain(1);
    }, soon);
    expect(read).not.toHaveBeenCalled();
    idle = false;
    await harness.decide(['a3']);
    await vi.waitFor(() => expect(handler.handled).toEqual(['a3']), soon);
  });

  it('asks again when it is not told whether there is anything to do, and can be stopped meanwhile', async () => {
    let answers = false;
    class Silent extends TestHandler {
      override readonly attemptMsMax = 100;
      override hasNothingToDo(): Promise<boolean> {
        return answers ? Promise.resolve(false) : new Promise(() => {});
      }
    }
    const handler = new Silent();
    const runner = harness.run(handler);
    await harness.decide(['a1']);
    await vi.waitFor(() => expect(runner.owned()).toHaveLength(2), soon);
    answers = true;
    await vi.waitFor(() => expect(handler.handled).toEqual(['a1']), soon);
    answers = false;
    await runner.stop();
  });

  it('shares the partitions with other processes, and takes over those of one that died', async () => {
    const [one, two] = [new TestHandler(), new TestHandler()];
    const [first, second] = [harness.run(one, 'first'), harness.run(two, 'second')];
    await vi.waitFor(() => expect([first.owned().length, second.owned().length]).toEqual([1, 1]), soon);
    // Dies: renews nothing, writes nothing.
    for (const call of ['attend', 'renew', 'leave'] as const) {
      const real = harness.progress[call].bind(harness.progress) as (...args: unknown[]) => Promise<unknown>;
      vi.spyOn(harness.progress, call).mockImplementation(((...args: unknown[]) =>
        args[1] === 'first' ? Promise.reject(new Error('dead')) : real(...args)) as never);
    }
    await vi.waitFor(() => expect(second.owned()).toHaveLength(2), soon);
    await harness.decide(['a1', 'a2'], 0);
    await harness.decide(['b1', 'b2'], 1);
    await vi.waitFor(() => expect(two.handled).toHaveLength(4), soon);
  });
});
