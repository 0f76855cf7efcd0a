import { describe, expect, it } from 'vitest';
import { BatchedReads } from './batched-reads.js';

interface Item {
  name: string;
}
const items = (count: number): Item[] => Array.from({ length: count }, (_, i) => ({ name: `item ${i}` }));

describe('batched reads', () => {
  it('read what is asked for in one go with as few questions as the bound allows, each item once', async () => {
    const sizes: number[] = [];
    const reads = new BatchedReads<Item>(100, async (some) => void sizes.push(some.length));
    const many = items(250);
    await Promise.all([...many, ...many].map((item) => reads.ask(item)));
    expect(sizes).toEqual([100, 100, 50]);
  });

  it('read an item again that is asked for while it is read, and tell so to whoever reads', async () => {
    const [one] = items(1) as [Item];
    const gate = Promise.withResolvers<void>();
    const begun: boolean[] = [];
    const reads = new BatchedReads<Item>(100, async (some) => {
      begun.push(true);
      if (begun.length === 1) await gate.promise;
      asked.push(reads.isAsked(some[0]!));
    });
    const asked: boolean[] = [];
    const first = reads.ask(one);
    await expect.poll(() => begun.length).toBe(1);
    const second = reads.ask(one);
    expect(second).not.toBe(first);
    gate.resolve();
    await second;
    expect(asked).toEqual([true, false]);
  });

  it('tell those who asked for an item of a question that failed, and go on', async () => {
    const many = items(3);
    const reads = new BatchedReads<Item>(2, async (some) => {
      if (some.includes(many[0]!)) throw new Error('away');
    });
    const outcomes = await Promise.allSettled(many.map((item) => reads.ask(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    await expect(reads.ask(many[2]!)).resolves.toBeUndefined();
  });

  it('let go of what nobody wants any more', async () => {
    const read: Item[] = [];
    const reads = new BatchedReads<Item>(10, async (some) => void read.push(...some));
    const [one, two] = items(2) as [Item, Item];
    const waiting = [reads.ask(one), reads.ask(two)];
    reads.forget(one);
    await Promise.all(waiting);
    expect(read).toEqual([two]);
  });
});
