import { describe, expect, it } from 'vitest';
import { mapBounded } from './bounded-concurrency.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('bounded concurrency', () => {
  it('gives the results in the order of the items, with no more at once than allowed', async () => {
    let underWay = 0;
    let most = 0;
    const results = await mapBounded([5, 1, 4, 2, 3], 2, async (item) => {
      most = Math.max(most, ++underWay);
      for (let turns = 0; turns < item; turns++) await turn();
      underWay--;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30]);
    expect(most).toBe(2);
  });

  it('begins nothing new after a failure, and rejects when what was under way has ended', async () => {
    const begun: number[] = [];
    let ended = 0;
    const work = mapBounded([0, 1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      await turn();
      if (item === 0) throw new Error('the first');
      await turn();
      ended++;
    });
    await expect(work).rejects.toThrow('the first');
    expect(begun).toEqual([0, 1]);
    expect(ended).toBe(1);
  });

  it('has nothing to do for no items', async () => {
    expect(await mapBounded([], 3, () => Promise.reject(new Error('never')))).toEqual([]);
  });
});
