import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartitionLeases } from './partition-leases.port.js';

export interface PartitionLeasesUnderTest {
  /** Over at least 12 partitions. */
  leases: PartitionLeases;
  /** Makes the leases of an owner run out, as if it had been paused for longer than a lease lasts. */
  expire(owner: string): Promise<void>;
  close?: () => Promise<void>;
}

const ascending = (one: number, other: number): number => one - other;
const numbers = (rows: { partition: number }[]): number[] => rows.map(({ partition }) => partition).toSorted(ascending);

/** What every keeper of leases keeps to. Each test uses partitions of its own. */
export function partitionLeasesContract(name: string, make: () => Promise<PartitionLeasesUnderTest>): void {
  describe(`partition leases: ${name}`, () => {
    let opened: PartitionLeasesUnderTest;
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(async () => opened.close?.());

    it('gives free partitions to the first who claims them and to nobody else', async () => {
      const { leases } = opened;
      expect(numbers(await leases.claim('a', [0, 1], false))).toEqual([0, 1]);
      expect(numbers(await leases.claim('b', [0, 1, 2], false))).toEqual([2]);
      expect((await leases.renew('a')).toSorted(ascending)).toEqual([0, 1]);
    });

    it('gives each new ownership a greater epoch', async () => {
      const { leases } = opened;
      const [first] = await leases.claim('c', [3], false);
      await leases.release('c');
      const [second] = await leases.claim('c', [3], false);
      expect(second?.epoch).toBeGreaterThan(first?.epoch ?? Infinity);
    });

    it('frees partitions at once when they are released', async () => {
      const { leases } = opened;
      await leases.claim('d', [4], false);
      await leases.release('d');
      expect(await leases.renew('d')).toEqual([]);
      expect(numbers(await leases.claim('e', [4], false))).toEqual([4]);
    });

    it('gives a lease that ran out to another, and its former owner cannot renew it', async () => {
      const { leases } = opened;
      await leases.claim('f', [5], false);
      await opened.expire('f');
      expect(await leases.renew('f')).toEqual([]);
      expect(numbers(await leases.claim('g', [5], false))).toEqual([5]);
    });

    it('takes held partitions at once for an exclusive owner', async () => {
      const { leases } = opened;
      await leases.claim('h', [6], false);
      expect(numbers(await leases.claim('i', [6], true))).toEqual([6]);
      expect(await leases.renew('h')).toEqual([]);
    });

    it('begins at offset 0 with a clock that has given no id', async () => {
      const [progress] = await opened.leases.claim('j', [7], false);
      expect(progress).toMatchObject({ nextOffset: 0, clock: { ms: 0, counter: 0 }, lastRecordHash: null });
    });
  });
}
