import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withDeadline } from './deadline.js';

const LATE_MS = 1_000;

class TooLate extends Error {}

function refuse(): never {
  throw new TooLate('too late');
}

describe('a deadline', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('gives what the work comes to in time, and leaves no timer behind', async () => {
    expect(await withDeadline(Promise.resolve(7), LATE_MS, refuse)).toBe(7);
    await expect(withDeadline(Promise.reject(new Error('broken')), LATE_MS, refuse)).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives the other answer, or the error, after the time and not before', async () => {
    const never = new Promise<number>(() => {});
    const ended: unknown[] = [];
    void withDeadline(never, LATE_MS, () => 'late').then((value) => ended.push(value));
    void withDeadline(never, LATE_MS, refuse).catch((error: unknown) => ended.push(error));
    await vi.advanceTimersByTimeAsync(LATE_MS - 1);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(['late', expect.any(TooLate)]);
  });

  it('drops what comes too late, also a failure', async () => {
    const work = Promise.withResolvers<number>();
    const answer = withDeadline(work.promise, LATE_MS, () => 'late');
    await vi.advanceTimersByTimeAsync(LATE_MS);
    work.reject(new Error('nobody wants to know'));
    expect(await answer).toBe('late');
  });
});
