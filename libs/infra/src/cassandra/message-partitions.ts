/** Messages of a conversation that lie in one partition: at 300 bytes each about 600 KB, and an end to its growth. */
export const BUCKET_SEQS = 2_000;
/** Revs whose changes lie in one partition. */
export const CHANGE_BUCKET_REVS = 10_000;
/** Buckets are 32-bit numbers, and a range may be open at its end. */
const BUCKET_MAX = 2 ** 31 - 1;

export function bucketOf(seq: number): number {
  return Math.min(Math.floor((Math.max(seq, 1) - 1) / BUCKET_SEQS), BUCKET_MAX);
}

/** First and last seq of a bucket. */
export function seqsOf(bucket: number): { first: number; last: number } {
  return { first: bucket * BUCKET_SEQS + 1, last: (bucket + 1) * BUCKET_SEQS };
}

export function changeBucketOf(rev: number): number {
  return Math.min(Math.floor((Math.max(rev, 1) - 1) / CHANGE_BUCKET_REVS), BUCKET_MAX);
}
