import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HandlerProgress, type HandlerTerm, type HeldEvent, LAST_INDEX } from './handler-progress.port.js';

export interface HandlerProgressUnderTest {
  /** Over at least 4 partitions, in each of which the records before offset 7 are decided. */
  progress: HandlerProgress;
  /** Makes the leases of an owner run out, as if it had been paused for longer than a lease lasts. */
  expire(owner: string): Promise<void>;
  close?: () => Promise<void>;
}

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const AT = Date.UTC(2026, 10, 23, 1, 2, 3, 456);

function held(offset: number, conversationId: string, more: Partial<HeldEvent> = {}): HeldEvent {
  const event = { partition: 0, offset, index: 0, conversationId, at: AT, payload: `{"n":${offset}}` };
  return { ...event, attempts: 0, pauseMs: 0, dead: false, lastError: null, ...more };
}

/** What every keeper of the handlers' progress keeps to. Each test has a handler of its own. */
export function handlerProgressContract(name: string, make: () => Promise<HandlerProgressUnderTest>): void {
  describe(`handler progress: ${name}`, () => {
    let opened: HandlerProgressUnderTest;
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(async () => opened.close?.());

    async function take(
      handler: string,
      owner = 'one',
      exclusive = false,
    ): Promise<HandlerTerm & { position: unknown }> {
      const options = { partitions: [0], begin: 'beginning' as const, exclusive, partitionsMax: 1 };
      const [taken] = await opened.progress.claim(handler, owner, options);
      return { handler, ...taken! };
    }

    it('begins behind what is decided, or at the beginning, and goes on where it was', async () => {
      const { progress } = opened;
      const options = { partitions: [0, 1], exclusive: false, partitionsMax: 4 };
      const now = await progress.claim('begin-now', 'one', { ...options, begin: 'now' });
      expect(now.map(({ position }) => position)).toEqual([
        { offset: 6, index: LAST_INDEX },
        { offset: 6, index: LAST_INDEX },
      ]);
      const all = await progress.claim('begin-first', 'one', { ...options, begin: 'beginning' });
      expect(all.map(({ position }) => position)).toEqual([null, null]);
      const { partition, epoch } = all.find((taken) => taken.partition === 1)!;
      expect(await progress.advance({ handler: 'begin-first', partition, epoch }, { offset: 3, index: 2 }, [])).toBe(
        true,
      );
      await progress.leave('begin-first', 'one');
      const [next] = await progress.claim('begin-first', 'two', { ...options, partitions: [1], begin: 'now' });
      expect(next).toEqual({ partition: 1, epoch: epoch + 1, position: { offset: 3, index: 2 } });
    });

    it('says up to where records are decided', async () => {
      expect((await opened.progress.settled()).get(2)).toBe(7);
    });

    it('gives a partition of a handler to one owner, and that of another handler to another', async () => {
      const { progress } = opened;
      const options = { partitions: [0, 1, 2, 3], begin: 'now' as const, exclusive: false, partitionsMax: 3 };
      expect(await progress.claim('owned', 'one', options)).toHaveLength(3);
      expect(await progress.claim('owned', 'two', options)).toHaveLength(1);
      expect(await progress.claim('owned-too', 'two', options)).toHaveLength(3);
      expect(await progress.renew('owned', 'one')).toHaveLength(3);
      await progress.release('owned', 'one', await progress.renew('owned', 'one'));
      expect(await progress.claim('owned', 'two', options)).toHaveLength(3);
    });

    it('counts the workers of each handler for itself', async () => {
      const { progress } = opened;
      expect(await progress.attend('shared', 'one')).toEqual({ workers: 1, rank: 0 });
      expect(await progress.attend('shared', 'two')).toEqual({ workers: 2, rank: 1 });
      expect(await progress.attend('other', 'two')).toEqual({ workers: 1, rank: 0 });
      await progress.leave('shared', 'one');
      expect(await progress.attend('shared', 'two')).toEqual({ workers: 1, rank: 0 });
    });

    it('gives a lease that ran out to another, and what its former owner writes changes nothing', async () => {
      const { progress } = opened;
      const former = await take('fenced');
      await progress.advance(former, { offset: 1, index: 0 }, [held(1, A)]);
      await opened.expire('one');
      const owner = await take('fenced', 'two');
      expect(owner).toMatchObject({ epoch: former.epoch + 1, position: { offset: 1, index: 0 } });
      expect(await progress.renew('fenced', 'one')).toEqual([]);
      expect(await progress.advance(former, { offset: 5, index: 0 }, [held(5, B)])).toBe(false);
      expect(await progress.settle(former, { offset: 1, index: 0 }, { handled: true })).toBe(false);
      expect(await progress.waiting(owner)).toEqual(new Map([[A, 1]]));
    });

    it('takes held partitions at once for an exclusive owner', async () => {
      await take('exclusive');
      expect(await take('exclusive', 'two', true)).toMatchObject({ epoch: 2 });
    });

    it('gives what waits in each conversation whose first event is due, in its order', async () => {
      const { progress } = opened;
      const term = await take('waits');
      const events = [held(1, A, { attempts: 1, lastError: 'no' }), held(2, B, { pauseMs: 60_000 }), held(3, A)];
      await progress.advance(term, { offset: 3, index: 0 }, events);
      expect(await progress.waiting(term)).toEqual(
        new Map([
          [A, 2],
          [B, 1],
        ]),
      );
      const event = { partition: 0, offset: 1, index: 0, conversationId: A, at: AT, payload: '{"n":1}' };
      const [first, ...others] = await progress.due(term, 10);
      expect(first).toEqual({ ...event, attempts: 1, late: false });
      expect(others.map(({ offset }) => offset)).toEqual([3]);
      const failed = { handled: false as const, error: 'still no', pauseMs: 60_000 };
      expect(await progress.settle(term, { offset: 1, index: 0 }, failed)).toBe(true);
      expect(await progress.due(term, 10)).toEqual([]);
      await progress.settle(term, { offset: 1, index: 0 }, { handled: true });
      expect((await progress.due(term, 10)).map(({ offset }) => offset)).toEqual([3]);
      expect(await progress.waiting(term)).toEqual(
        new Map([
          [A, 1],
          [B, 1],
        ]),
      );
    });

    it('gives the first events of all conversations before any second one', async () => {
      const { progress } = opened;
      const term = await take('fair');
      await progress.advance(term, { offset: 4, index: 0 }, [held(1, A), held(2, A), held(3, A), held(4, B)]);
      expect((await progress.due(term, 3)).map(({ offset }) => offset)).toEqual([1, 4, 2]);
    });

    it('tells how each handler stands, and has all its dead letters tried again or forgotten at once', async () => {
      const { progress } = opened;
      const standing = async (handler: string) => (await progress.standings()).find((each) => each.handler === handler);
      const [term, other] = [await take('stands'), await take('stands-beside')];
      const dead = { dead: true, lastError: 'no' };
      await progress.advance(term, { offset: 4, index: 0 }, [
        held(1, A, dead),
        held(2, B, dead),
        held(3, A),
        held(4, A),
      ]);
      await progress.advance(other, { offset: 1, index: 0 }, [held(1, A, dead)]);
      const settled = (await progress.settled()).get(0) ?? 0;
      expect(await standing('stands')).toEqual({
        handler: 'stands',
        workers: 1,
        behindRecords: Math.max(0, settled - 1 - 4),
        waitingEvents: 2,
        deadEvents: 2,
      });
      expect(await progress.retryDeadLetters('stands')).toBe(2);
      expect(await progress.retryDeadLetters('stands')).toBe(0);
      expect(await standing('stands')).toMatchObject({ waitingEvents: 4, deadEvents: 0 });
      const due = (await progress.due(term, 10)).filter(({ late }) => late);
      expect(new Set(due.map(({ offset }) => offset))).toEqual(new Set([1, 2]));
      expect(await standing('stands-beside')).toMatchObject({ deadEvents: 1 });
      expect(await progress.discardDeadLetters('stands-beside')).toBe(1);
      expect(await standing('stands-beside')).toMatchObject({ deadEvents: 0 });
    });

    it('lists what was given up, has it tried again on its own, and forgets it', async () => {
      const { progress } = opened;
      const term = await take('gives-up');
      const unreadable = held(2, B, { dead: true, lastError: 'Not an event' });
      await progress.advance(term, { offset: 2, index: 0 }, [held(1, A, { attempts: 4 }), unreadable]);
      await progress.settle(term, { offset: 1, index: 0 }, { handled: false, error: 'never', pauseMs: null });
      expect(await progress.waiting(term)).toEqual(new Map());
      const letters = await progress.deadLetters('gives-up', null, 10);
      expect(letters.map(({ offset, attempts, lastError }) => [offset, attempts, lastError])).toEqual([
        [1, 5, 'never'],
        [2, 0, 'Not an event'],
      ]);
      expect(await progress.deadLetters('gives-up', letters[0]!, 10)).toEqual([letters[1]]);
      expect(await progress.deadLetters(null, null, 1)).toHaveLength(1);

      expect(await progress.retryDeadLetter(letters[0]!)).toBe(true);
      expect(await progress.retryDeadLetter(letters[0]!)).toBe(false);
      expect(await progress.due(term, 10)).toMatchObject([{ offset: 1, attempts: 0, late: true }]);
      expect(await progress.waiting(term)).toEqual(new Map());
      expect(await progress.discardDeadLetter(letters[1]!)).toBe(true);
      expect(await progress.discardDeadLetter(letters[1]!)).toBe(false);
      expect(await progress.deadLetters('gives-up', null, 10)).toEqual([]);
    });
  });
}
