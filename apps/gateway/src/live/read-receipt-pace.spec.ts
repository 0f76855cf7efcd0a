import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReadReceiptPace, type PacedRead } from './read-receipt-pace.js';

const read = (userId: string, seq: number): PacedRead => ({
  type: 'read-due',
  conversationId: 'c',
  membershipEpoch: 1,
  memberCount: 2,
  userId,
  read: { seq, messageId: String(seq) },
});

describe('the pace of read receipts', () => {
  let due: PacedRead[];
  let pace: ReadReceiptPace;

  beforeEach(() => {
    vi.useFakeTimers();
    due = [];
    pace = new ReadReceiptPace(Date.now, (one) => due.push(one));
  });
  afterEach(() => {
    pace.stop();
    vi.useRealTimers();
  });

  it('lets the first pass, and after a second the last of those behind it', () => {
    expect([1, 2, 3].map((seq) => pace.take(read('a', seq)))).toEqual([true, false, false]);
    vi.advanceTimersByTime(999);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(due).toEqual([read('a', 3)]);
  });

  it('holds the next second too after one that was let pass late', () => {
    pace.take(read('a', 1));
    pace.take(read('a', 2));
    vi.advanceTimersByTime(1_000);
    expect(pace.take(read('a', 3))).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(due.map(({ read: mark }) => mark.seq)).toEqual([2, 3]);
    vi.advanceTimersByTime(1_000);
    expect(pace.take(read('a', 4))).toBe(true);
  });

  it('does not mix readers, and keeps no timer when nobody reads', () => {
    expect(pace.take(read('a', 1))).toBe(true);
    vi.advanceTimersByTime(500);
    expect(pace.take(read('b', 1))).toBe(true);
    pace.take(read('b', 2));
    vi.advanceTimersByTime(500);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(due).toEqual([read('b', 2)]);
    vi.advanceTimersByTime(3_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
