import { beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from './errors.js';
import { ReadMarks } from './read-marks.js';
import { promisesSettled, VirtualClock } from './testing/virtual-clock.js';
import type { ReadMark } from './wire.js';

let clock: VirtualClock;
let isConnected: boolean;
let sends: { id: string; answer: () => void; refuse: (cause: unknown) => void }[];
let marked: string[];
let reads: ReadMarks;
beforeEach(() => {
  clock = new VirtualClock();
  isConnected = true;
  sends = [];
  marked = [];
  reads = new ReadMarks({
    clock,
    random: () => 1,
    isConnected: () => isConnected,
    send: (_, id) =>
      new Promise<ReadMark>((done, refuse) => {
        const mark = { lastReadMessageId: id, lastReadSeq: Number(id), unreadCount: 0 };
        sends.push({ id, answer: () => done(mark), refuse });
      }),
    marked: (_, { lastReadMessageId }) => marked.push(lastReadMessageId ?? ''),
  });
});
const ids = () => sends.map(({ id }) => id);

describe('reading', () => {
  it('is told at once, forward only, one at a time and of what came meanwhile only the latest', async () => {
    reads.read('one', '5');
    for (const id of ['4', '5', '6', '10', '9']) reads.read('one', id);
    expect(ids()).toEqual(['5']);
    expect(reads.pending).toEqual([['one', '10']]);
    sends[0]?.answer();
    await promisesSettled();
    expect(ids()).toEqual(['5', '10']);
    expect(reads.pending).toEqual([['one', '10']]);
    sends[1]?.answer();
    await promisesSettled();
    expect(marked).toEqual(['5', '10']);
    expect(reads.pending).toEqual([]);
  });

  it('waits for a connection', async () => {
    isConnected = false;
    reads.read('one', '5');
    reads.read('two', '7');
    expect(ids()).toEqual([]);
    isConnected = true;
    reads.reconnected();
    expect(ids()).toEqual(['5', '7']);
  });

  it('that is not answered is told again within 2 s, and that is refused is not', async () => {
    reads.read('one', '5');
    sends[0]?.refuse(new ParleyError('timeout', 'No answer'));
    await clock.advance(1_999);
    expect(ids()).toEqual(['5']);
    await clock.advance(1);
    expect(ids()).toEqual(['5', '5']);
    sends[1]?.refuse(new ParleyError('not_found', 'Gone', { status: 404 }));
    await clock.advance(60_000);
    expect(ids()).toHaveLength(2);
    expect(reads.pending).toEqual([]);
  });

  it('of a conversation that is gone is not told any more', async () => {
    reads.read('one', '5');
    sends[0]?.refuse(new ParleyError('timeout', 'No answer'));
    await promisesSettled();
    reads.forget('one');
    await clock.advance(60_000);
    expect(ids()).toEqual(['5']);
    expect(reads.pending).toEqual([]);
    expect(clock.waiting).toBe(0);
  });
});
