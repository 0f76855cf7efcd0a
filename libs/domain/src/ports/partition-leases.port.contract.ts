import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartitionLeases } from './partition-leases.port.js';

export interface PartitionLeasesUnderTest {
  /** Over at least 12 partitions. */
  leases: PartitionLeases;
  /** Makes the leases of an owner, and its life as a worker, run out, as if it had been paused for longer than a lease lasts. */
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
      await leases.release('c', [3]);
      const [second] = await leases.claim('c', [3], false);
      expect(second?.epoch).toBeGreaterThan(first?.epoch ?? Infinity);
    });

    it('frees partitions at once when they are released', async () => {
      const { leases } = opened;
      await leases.claim('d', [4], false);
      await leases.release('d', [4]);
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

    it('takes no more partitions than it is asked to', async () => {
      const { leases } = opened;
      const first = numbers(await leases.claim('k', [8, 9, 10], false, 2));
      expect(first).toHaveLength(2);
      expect(numbers(await leases.claim('l', [8, 9, 10], false, 2))).toEqual(
        [8, 9, 10].filter((p) => !first.includes(p)),
      );
      expect(await leases.claim('l', [8, 9, 10], false, 0)).toEqual([]);
      await Promise.all([leases.leave('k'), leases.leave('l')]);
    });

    it('gives each partition to one of many who claim at once, and no more than its share to any', async () => {
      const { leases } = opened;
      const owners = ['m', 'n', 'o'];
      const claims = await Promise.all(owners.map((owner) => leases.claim(owner, [8, 9, 10], false, 1)));
      for (const claim of claims) expect(claim.length).toBeLessThanOrEqual(1);
      const taken = claims.flatMap(numbers);
      expect(new Set(taken).size).toBe(taken.length);
      for (const owner of owners) taken.push(...numbers(await leases.claim(owner, [8, 9, 10], false, 1)));
      expect(new Set(taken).size).toBe(3);
      await Promise.all(owners.map((owner) => leases.leave(owner)));
    });

    it('gives up only the partitions that are released, and only those of the one who releases', async () => {
      const { leases } = opened;
      await leases.claim('p', [8, 9], false);
      await leases.release('q', [8]);
      await leases.release('p', [9, 10]);
      expect(await leases.renew('p')).toEqual([8]);
      expect(numbers(await leases.claim('q', [8, 9], false))).toEqual([9]);
      await Promise.all([leases.leave('p'), leases.leave('q')]);
    });

    it('knows who lives, the oldest first, until they leave or are not heard of any more', async () => {
      const { leases } = opened;
      expect(await leases.attend('r')).toEqual({ workers: 1, rank: 0 });
      expect(await leases.attend('s')).toEqual({ workers: 2, rank: 1 });
      expect(await leases.attend('a later name is no younger')).toEqual({ workers: 3, rank: 2 });
      expect(await leases.attend('r')).toEqual({ workers: 3, rank: 0 });
      await opened.expire('r');
      expect(await leases.attend('s')).toEqual({ workers: 2, rank: 0 });
      // Whoever comes back after its time is the youngest.
      expect(await leases.attend('r')).toEqual({ workers: 3, rank: 2 });
      await leases.leave('s');
      expect(await leases.attend('r')).toEqual({ workers: 2, rank: 1 });
      await Promise.all([leases.leave('r'), leases.leave('a later name is no younger')]);
    });

    it('frees the partitions of a worker that leaves', async () => {
      const { leases } = opened;
      await leases.attend('t');
      await leases.claim('t', [8, 9], false);
      await leases.leave('t');
      expect(await leases.renew('t')).toEqual([]);
      expect(numbers(await leases.claim('u', [8, 9], false))).toEqual([8, 9]);
      await leases.leave('u');
    });

    it('begins at offset 0 with a clock that has given no id', async () => {
      const [progress] = await opened.leases.claim('j', [7], false);
      expect(progress).toMatchObject({ nextOffset: 0, clock: { ms: 0, counter: 0 }, lastRecordHash: null });
    });
  });
}
