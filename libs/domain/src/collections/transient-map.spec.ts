import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransientMap } from './transient-map.js';

/** More than enough deletions for a map of few entries to have moved several times. */
const CYCLES = 5_000;

function churn(map: TransientMap<string, number>, cycles = CYCLES): void {
  for (let i = 0; i < cycles; i += 1) {
    map.set(`passing-${i}`, i);
    map.delete(`passing-${i}`);
  }
}

/** The table behind the map: whether it is another one can be seen nowhere else. */
const tableOf = (map: TransientMap<string, number>): unknown => (map as unknown as { entries: unknown }).entries;

interface Step {
  kind: 'set' | 'delete' | 'churn' | 'clear';
  key: number;
  value: number;
}

/** Churn is many deletions at once, so that the entries move in the middle of a run. */
const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('set', 'set', 'set', 'set', 'delete', 'delete', 'delete', 'churn', 'clear'),
  key: fc.integer({ min: 0, max: 20 }),
  value: fc.integer(),
});

/** What the last deletion of a step answered. */
function take(map: TransientMap<number, number> | Map<number, number>, { kind, key, value }: Step): boolean | null {
  if (kind === 'set') map.set(key, value);
  else if (kind === 'clear') map.clear();
  else if (kind === 'delete') return map.delete(key);
  else {
    for (let i = 0; i < 300; i += 1) {
      map.set(-key, i);
      map.delete(-key);
    }
  }
  return null;
}

describe('a transient map', () => {
  it('has, gets, replaces, deletes and counts its entries', () => {
    const map = new TransientMap<string, number | undefined>();
    expect([map.size, map.has('a'), map.get('a'), map.delete('a')]).toEqual([0, false, undefined, false]);
    map.set('a', 1);
    map.set('b', undefined);
    map.set('a', 2);
    expect([map.size, map.has('a'), map.get('a')]).toEqual([2, true, 2]);
    expect([map.has('b'), map.get('b')]).toEqual([true, undefined]);
    expect([map.delete('a'), map.delete('a'), map.has('a'), map.size]).toEqual([true, false, false, 1]);
  });

  it('lists entries in the order in which they came, a replaced one at its place and one that came back at the end', () => {
    const map = new TransientMap<string, number>();
    for (const [i, key] of ['c', 'a', 'b'].entries()) map.set(key, i);
    map.set('c', 9);
    map.delete('a');
    map.set('a', 3);
    expect([...map]).toEqual([
      ['c', 9],
      ['b', 2],
      ['a', 3],
    ]);
    expect([...map.keys()]).toEqual(['c', 'b', 'a']);
    expect([...map.values()]).toEqual([9, 2, 3]);
  });

  it('is empty once cleared, and can be used again', () => {
    const map = new TransientMap<string, number>();
    map.set('a', 1);
    map.clear();
    expect([map.size, map.has('a'), [...map]]).toEqual([0, false, []]);
    map.set('b', 2);
    expect([...map]).toEqual([['b', 2]]);
  });

  it('keeps the entries that stay, in their order, while thousands come and go', () => {
    const map = new TransientMap<string, number>();
    const staying: [string, number][] = [];
    for (let i = 0; i < 10; i += 1) {
      staying.push([`staying-${i}`, i]);
      map.set(`staying-${i}`, i);
      churn(map);
      expect([...map]).toEqual(staying);
    }
    expect([map.size, map.get('staying-0'), map.has('passing-7')]).toEqual([10, 0, false]);
  });

  it('moves its entries after some hundred deletions, and not at each of them', () => {
    const map = new TransientMap<string, number>();
    map.set('staying', 1);
    const tables = new Set<unknown>();
    for (let i = 0; i < CYCLES; i += 1) {
      churn(map, 1);
      tables.add(tableOf(map));
    }
    expect(tables.size).toBeGreaterThan(CYCLES / 512);
    expect(tables.size).toBeLessThan(CYCLES / 128);
  });

  it('moves many entries more rarely than few: what a deletion costs does not depend on their number', () => {
    const map = new TransientMap<string, number>();
    for (let i = 0; i < 2_000; i += 1) map.set(`staying-${i}`, i);
    const first = tableOf(map);
    churn(map, 7_000);
    expect(tableOf(map)).toBe(first);
    churn(map, 2_000);
    expect(tableOf(map)).not.toBe(first);
    expect(map.size).toBe(2_000);
  });

  it('shows an iteration all that was there at its beginning, whatever it deletes on the way', () => {
    const map = new TransientMap<string, number>();
    for (let i = 0; i < 1_000; i += 1) map.set(`${i}`, i);
    const seen: number[] = [];
    for (const [key, value] of map) {
      seen.push(value);
      map.delete(key);
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(map.size).toBe(0);
  });

  it('shows an iteration no entry that was deleted before it got there, as long as the entries have not moved', () => {
    const map = new TransientMap<string, number>();
    for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i);
    const seen: string[] = [];
    for (const key of map.keys()) {
      seen.push(key);
      map.delete('b');
    }
    expect(seen).toEqual(['a', 'c']);
  });

  it('does what a plain map does', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (taken) => {
        const [map, plain] = [new TransientMap<number, number>(), new Map<number, number>()];
        for (const one of taken) {
          expect(take(map, one)).toBe(take(plain, one));
          expect(map.size).toBe(plain.size);
          expect([...map]).toEqual([...plain]);
        }
        expect([...map.keys()]).toEqual([...plain.keys()]);
        expect([...map.values()]).toEqual([...plain.values()]);
        for (let i = 0; i <= 20; i += 1) expect([map.has(i), map.get(i)]).toEqual([plain.has(i), plain.get(i)]);
      }),
    );
  });
});
