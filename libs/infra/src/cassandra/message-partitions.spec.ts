import { describe, expect, it } from 'vitest';
import { bucketOf, changeBucketOf, seqsOf } from './message-partitions.js';

describe('partitions of messages', () => {
  it('hold 2,000 seqs each, from 1 on', () => {
    expect([1, 2_000, 2_001, 4_000, 4_001].map(bucketOf)).toEqual([0, 0, 1, 1, 2]);
    expect(seqsOf(1)).toEqual({ first: 2_001, last: 4_000 });
  });

  it('begin at the first one for a range that begins before it, and end at the last that can be named', () => {
    expect(bucketOf(0)).toBe(0);
    expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBe(2 ** 31 - 1);
  });

  it('hold the changes of 10,000 revs each', () => {
    expect([0, 1, 10_000, 10_001, Number.MAX_SAFE_INTEGER].map(changeBucketOf)).toEqual([0, 0, 0, 1, 2 ** 31 - 1]);
  });
});
