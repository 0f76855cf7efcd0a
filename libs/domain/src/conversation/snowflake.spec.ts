import { describe, expect, it } from 'vitest';
import { partitionOf } from './partitioning.js';
import { SNOWFLAKE_EPOCH_MS, snowflake, tick } from './snowflake.js';

const AT = Date.UTC(2026, 10, 22);

describe('message ids', () => {
  it('hold 41 bits of time, 10 of partition and 13 of counter', () => {
    const id = BigInt(snowflake(1023, { ms: AT, counter: 8191 }));
    expect(Number(id >> 23n)).toBe(AT - SNOWFLAKE_EPOCH_MS);
    expect(Number((id >> 13n) & 1023n)).toBe(1023);
    expect(Number(id & 8191n)).toBe(8191);
  });

  it('never step back when the clock does, and repeat nothing within a millisecond', () => {
    let clock = { ms: AT, counter: 0 };
    const ids = [AT, AT, AT - 5_000, AT + 1].map((at) => {
      clock = tick(clock, at);
      return BigInt(snowflake(0, clock));
    });
    expect(ids).toEqual([...ids].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(ids).size).toBe(4);
  });

  it('borrow from the next millisecond when the counter is used up', () => {
    expect(tick({ ms: AT, counter: 8191 }, AT)).toEqual({ ms: AT + 1, counter: 0 });
  });
});

describe('partitions', () => {
  it('are spread evenly and stay what they are', () => {
    const counts = Array.from({ length: 8 }, () => 0);
    for (let i = 0; i < 8_000; i++) {
      const partition = partitionOf(`0190a6c4-5f3e-7a41-9d2b-${i.toString(16).padStart(12, '0')}`, 8);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(partitionOf('0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90', 1024)).toBe(PINNED);
  });
});

// Pinned: another value would send every conversation's next command to another owner.
const PINNED = 709;
