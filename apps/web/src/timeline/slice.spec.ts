import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continued, moved, sliceAround, type Slice } from './slice.js';

const END = Number.POSITIVE_INFINITY;
const all = { firstSeq: 1, lastSeq: 10_000 };

describe('the slice of a timeline', () => {
  it('begins around a message, and follows the end where that is near', () => {
    expect(sliceAround(5_000, all, 0)).toEqual({ run: 0, from: 4_850, to: 5_150 });
    expect(sliceAround(9_900, all, 0)).toEqual({ run: 0, from: 9_750, to: END });
    expect(sliceAround(10, all, 0)).toEqual({ run: 0, from: 1, to: 160 });
  });

  it('stays as it is while messages are added on both sides', () => {
    const slice = sliceAround(10_000, all, 3);
    expect(continued(slice, { firstSeq: 1, lastSeq: 10_050 })).toBe(slice);
    expect(continued(slice, { firstSeq: 9_850, lastSeq: 10_000 })).toBe(slice);
  });

  it('begins anew at the end of a timeline that goes on somewhere else', () => {
    const slice: Slice = { run: 3, from: 100, to: 300 };
    expect(continued(slice, { firstSeq: 9_950, lastSeq: 10_000 })).toEqual({ run: 4, from: 9_950, to: END });
    expect(continued(slice, { firstSeq: 1, lastSeq: 60 })).toEqual({ run: 4, from: 1, to: END });
  });

  it('never loses messages on one side in the same step in which it gains some on the other', () => {
    const far: Slice = { run: 0, from: 5_000, to: 5_600 };
    const gained = moved(far, { firstSeq: 5_010, lastSeq: 5_030 }, all);
    expect(gained).toEqual({ run: 0, from: 4_860, to: 5_600 });
    expect(moved(gained, { firstSeq: 5_010, lastSeq: 5_030 }, all)).toEqual({ run: 0, from: 4_860, to: 5_180 });
  });

  it('has nothing to do while what is shown is well inside', () => {
    const slice = sliceAround(5_000, all, 0);
    expect(moved(slice, { firstSeq: 4_990, lastSeq: 5_010 }, all)).toBe(slice);
  });

  it('holds what is shown, stays small, and reaches every message, wherever one scrolls', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -45, max: 45 }), { minLength: 50, maxLength: 600 }), (steps) => {
        let slice = sliceAround(10_000, all, 0);
        let top = 9_980;
        for (const step of steps) {
          const end = Math.min(slice.to, all.lastSeq);
          // A screen of twenty messages that cannot leave what is in the list.
          top = Math.min(Math.max(slice.from, top + step), end - 19);
          slice = moved(slice, { firstSeq: top, lastSeq: top + 19 }, all);
          const last = Math.min(slice.to, all.lastSeq);
          expect(slice.from).toBeLessThanOrEqual(top);
          expect(last).toBeGreaterThanOrEqual(top + 19);
          expect(last - slice.from).toBeLessThan(900);
          expect(slice.from === 1 || top - slice.from >= 49).toBe(true);
          expect(slice.to === END || slice.to - top - 19 >= 49).toBe(true);
        }
      }),
    );
    let slice = sliceAround(10_000, all, 0);
    for (let top = 9_980; top > 1; top = Math.max(1, top - 40)) {
      expect(slice.from).toBeLessThanOrEqual(top);
      slice = moved(slice, { firstSeq: top, lastSeq: top + 19 }, all);
    }
    expect(slice).toMatchObject({ run: 0, from: 1 });
    expect(slice.to).toBeLessThan(1_000);
  });
});
