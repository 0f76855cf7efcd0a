import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairShare } from './partition-leases.port.js';

const sharesOf = (partitions: number, workers: number): number[] =>
  Array.from({ length: workers }, (_, rank) => fairShare(partitions, { workers, rank }));

describe('the share of a worker', () => {
  it('is everything for the only one', () => {
    expect(sharesOf(48, 1)).toEqual([48]);
  });

  it('is one more for the oldest where the partitions do not divide evenly', () => {
    expect(sharesOf(48, 5)).toEqual([10, 10, 10, 9, 9]);
    expect(sharesOf(4, 3)).toEqual([2, 1, 1]);
  });

  it('is nothing for a worker for whom no partition is left', () => {
    expect(sharesOf(2, 3)).toEqual([1, 1, 0]);
  });

  it('adds up to all partitions, and differs by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_024 }), fc.integer({ min: 1, max: 64 }), (partitions, workers) => {
        const shares = sharesOf(partitions, workers);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(partitions);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
