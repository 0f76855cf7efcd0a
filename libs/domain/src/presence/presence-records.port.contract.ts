import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PresencePair, PresenceRecords } from './presence-records.port.js';

export interface PresenceRecordsUnderTest {
  records: PresenceRecords;
  /** Makes so many users; answers their ids. */
  addUsers: (count: number) => Promise<string[]>;
  hide: (userId: string, hidden: boolean) => Promise<void>;
  block: (blockerId: string, blockedId: string, blocked: boolean) => Promise<void>;
}

/** What every keeper of what lasts about presence keeps to. */
export function presenceRecordsContract(name: string, make: () => PresenceRecordsUnderTest): void {
  describe(`presence records: ${name}`, () => {
    let trial: PresenceRecordsUnderTest;
    let records: PresenceRecords;
    let ada: string;
    let ben: string;
    beforeAll(() => {
      trial = make();
      ({ records } = trial);
    });
    const sees = async (viewerId: string, userId: string): Promise<boolean> =>
      (await records.canSee([{ viewerId, userId }]))[0]!;

    it('keeps the latest time of each user, whatever the order in which they are told', async () => {
      const [one, two, never] = (await trial.addUsers(3)) as [string, string, string];
      const at = Date.UTC(2026, 10, 22);
      await records.recordSeen([
        { userId: one, at: at + 1 },
        { userId: two, at: at + 50 },
        { userId: one, at: at + 7 },
      ]);
      await records.recordSeen([{ userId: one, at: at + 3 }]);
      await records.recordSeen([{ userId: two, at: at + 60 }]);
      expect(await records.lastSeen([one, two, never, randomUUID()])).toEqual(
        new Map([
          [one, at + 7],
          [two, at + 60],
        ]),
      );
    });

    it('passes over users that do not exist, and nothing at all', async () => {
      const [one] = (await trial.addUsers(1)) as [string];
      const nobody = randomUUID();
      await records.recordSeen([
        { userId: nobody, at: 5 },
        { userId: one, at: 6 },
      ]);
      expect(await records.lastSeen([nobody, one])).toEqual(new Map([[one, 6]]));
      await records.recordSeen([]);
      expect(await records.lastSeen([])).toEqual(new Map());
      expect(await records.canSee([])).toEqual([]);
    });

    it('takes the same users from many writers at once', async () => {
      const users = await trial.addUsers(40);
      const writes = Array.from({ length: 20 }, (_, i) => {
        const seen = users.map((userId) => ({ userId, at: 1_000 + i }));
        return records.recordSeen(i % 2 === 0 ? seen : seen.toReversed());
      });
      await Promise.all(writes);
      expect(new Set((await records.lastSeen(users)).values())).toEqual(new Set([1_019]));
    });

    it('lets users see each other, and themselves', async () => {
      [ada, ben] = (await trial.addUsers(2)) as [string, string];
      expect(await sees(ada, ben)).toBe(true);
      expect(await sees(ben, ada)).toBe(true);
      expect(await sees(ada, ada)).toBe(true);
    });

    it('hides who hides from everybody, and everybody from who hides', async () => {
      [ada, ben] = (await trial.addUsers(2)) as [string, string];
      await trial.hide(ada, true);
      expect([await sees(ada, ben), await sees(ben, ada), await sees(ada, ada)]).toEqual([false, false, true]);
      await trial.hide(ada, false);
      expect([await sees(ada, ben), await sees(ben, ada)]).toEqual([true, true]);
    });

    it('hides both from each other when one has blocked the other, and from nobody else', async () => {
      const [blocker, blocked, other] = (await trial.addUsers(3)) as [string, string, string];
      await trial.block(blocker, blocked, true);
      expect([await sees(blocker, blocked), await sees(blocked, blocker)]).toEqual([false, false]);
      expect([await sees(other, blocker), await sees(other, blocked)]).toEqual([true, true]);
      await trial.block(blocker, blocked, false);
      expect([await sees(blocker, blocked), await sees(blocked, blocker)]).toEqual([true, true]);
    });

    it('shows nobody to those who do not exist, and the other way round', async () => {
      const [one] = (await trial.addUsers(1)) as [string];
      const nobody = randomUUID();
      expect([await sees(nobody, one), await sees(one, nobody), await sees(nobody, nobody)]).toEqual(
        Array(3).fill(false),
      );
    });

    it('answers for many pairs in their places, also repeated ones', async () => {
      const users = await trial.addUsers(60);
      const [first, second] = users as [string, string];
      await trial.hide(first, true);
      const pairs: PresencePair[] = [];
      for (const viewerId of users.slice(0, 20)) for (const userId of users) pairs.push({ viewerId, userId });
      pairs.push({ viewerId: second, userId: second }, { viewerId: second, userId: second });
      const expected = pairs.map(({ viewerId, userId }) => viewerId === userId || ![viewerId, userId].includes(first));
      expect(await records.canSee(pairs)).toEqual(expected);
    });
  });
}
