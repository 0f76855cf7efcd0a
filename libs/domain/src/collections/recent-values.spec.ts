import { describe, expect, it } from 'vitest';
import { RecentValues } from './recent-values.js';

describe('recent values', () => {
  it('forget the longest unused first', () => {
    const values = new RecentValues<number>(3);
    for (const [i, key] of ['a', 'b', 'c'].entries()) values.set(key, i);
    values.get('a');
    values.set('d', 3);
    expect(['a', 'b', 'c', 'd'].map((key) => values.peek(key))).toEqual([0, undefined, 2, 3]);
  });

  it('are bounded by their cost, and keep the newest whatever it costs', () => {
    const values = new RecentValues<string>(100);
    values.set('a', 'small', 10);
    values.set('b', 'large', 90);
    expect(values.size).toBe(2);
    values.set('c', 'huge', 500);
    expect([values.peek('a'), values.peek('b'), values.peek('c')]).toEqual([undefined, undefined, 'huge']);
    values.set('d', 'small', 10);
    expect([values.size, values.peek('d')]).toEqual([1, 'small']);
  });

  it('count a replaced or deleted value no longer', () => {
    const values = new RecentValues<number>(10);
    for (let i = 0; i < 5; i += 1) values.set('a', i, 6);
    values.set('b', 1, 4);
    expect([values.peek('a'), values.peek('b')]).toEqual([4, 1]);
    values.delete('a');
    values.set('c', 1, 6);
    expect([values.peek('b'), values.peek('c')]).toEqual([1, 1]);
  });
});
