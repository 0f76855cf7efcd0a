import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlockChange, Blocks } from './blocks.port.js';

export interface BlocksUnderTest {
  blocks: Blocks;
  /** Makes so many users; answers their ids. */
  addUsers: (count: number) => Promise<string[]>;
}

/** What every keeper of blocks keeps to. */
export function blocksContract(name: string, make: () => BlocksUnderTest): void {
  describe(`blocks: ${name}`, () => {
    let blocks: Blocks;
    let addUsers: BlocksUnderTest['addUsers'];
    beforeAll(() => {
      ({ blocks, addUsers } = make());
    });

    it('tells who of many has blocked a user, and not whom the user has blocked', async () => {
      const [me, hates, likes, hated] = (await addUsers(4)) as [string, string, string, string];
      await blocks.block(hates, me);
      await blocks.block(me, hated);
      expect(await blocks.blockersOf(me, [hates, likes, hated, randomUUID()])).toEqual(new Set([hates]));
      expect(await blocks.blockersOf(hated, [me])).toEqual(new Set([me]));
      expect(await blocks.blockersOf(me, [likes])).toEqual(new Set());
      expect(await blocks.blockersOf(me, [])).toEqual(new Set());
    });

    it('lists whom a user has blocked, newest first', async () => {
      const [me, first, second] = (await addUsers(3)) as [string, string, string];
      expect([await blocks.block(me, first), await blocks.block(me, second)]).toEqual(['added', 'added']);
      const [newest] = await blocks.list(me, null, 1);
      expect(newest?.user.userId).toBe(second);
      expect((await blocks.list(me, newest!.position, 5)).map(({ user }) => user.userId)).toEqual([first]);
    });

    it('blocks once, unblocks, and knows nobody who does not exist', async () => {
      const [me, other] = (await addUsers(2)) as [string, string];
      expect(await blocks.block(me, other)).toBe('added');
      expect(await blocks.block(me, other)).toBe('already-there');
      expect(await blocks.block(me, randomUUID())).toBe('unknown-user');
      await blocks.unblock(me, other);
      await blocks.unblock(me, other);
      expect(await blocks.blockersOf(other, [me])).toEqual(new Set());
    });

    it('tells listeners of a change when it can be read, before the call ends, until they stop', async () => {
      const [me, other] = (await addUsers(2)) as [string, string];
      const heard: { change: BlockChange; stored: Promise<boolean> }[] = [];
      const stop = blocks.onBlocksChanged((change) => {
        heard.push({ change, stored: blocks.blockersOf(other, [me]).then((blockers) => blockers.has(me)) });
      });
      await blocks.block(me, other);
      expect(heard).toHaveLength(1);
      expect(await heard[0]!.stored).toBe(true);
      await blocks.unblock(me, other);
      expect(heard.map(({ change }) => change.blocked)).toEqual([true, false]);
      expect(heard[1]!.change).toEqual({ blockerId: me, blockedId: other, blocked: false });
      expect(await heard[1]!.stored).toBe(false);
      stop();
      await blocks.block(me, other);
      expect(heard).toHaveLength(2);
    });

    it('waits for what its listeners do', async () => {
      const [me, other] = (await addUsers(2)) as [string, string];
      const steps: string[] = [];
      const told = Promise.withResolvers<void>();
      const stop = blocks.onBlocksChanged(() => {
        steps.push('told');
        return told.promise;
      });
      const blocking = blocks.block(me, other).then(() => steps.push('answered'));
      await expect.poll(() => steps).toEqual(['told']);
      told.resolve();
      await blocking;
      expect(steps).toEqual(['told', 'answered']);
      stop();
    });
  });
}
