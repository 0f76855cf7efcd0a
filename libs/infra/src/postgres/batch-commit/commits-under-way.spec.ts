import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CommitsUnderWay } from './commits-under-way.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const pending = () => {
  let resolve = (): void => {};
  let reject = (_error: Error): void => {};
  const promise = new Promise<void>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
};

describe('commits under way', () => {
  it('are waited for by a read that may have seen them, and by none that began after them', async () => {
    const commits = new CommitsUnderWay();
    const commit = pending();
    const order: string[] = [];
    const committing = commits.run(() => commit.promise).then(() => order.push('committed'));
    const reading = commits.known().then(() => order.push('read'));
    await vi.advanceTimersByTimeAsync(10);
    expect(order).toEqual([]);
    commit.resolve();
    await Promise.all([committing, reading]);
    expect(order).toHaveLength(2);
    await commits.known();
  });

  it('hold no read back when they fail, or take longer than a visible commit can', async () => {
    const commits = new CommitsUnderWay();
    const [failing, hanging] = [pending(), pending()];
    const failed = commits.run(() => failing.promise).catch((error: Error) => error.message);
    void commits.run(() => hanging.promise);
    const reading = commits.known();
    failing.reject(new Error('away'));
    expect(await failed).toBe('away');
    await vi.advanceTimersByTimeAsync(300);
    await reading;
    hanging.resolve();
  });
});
