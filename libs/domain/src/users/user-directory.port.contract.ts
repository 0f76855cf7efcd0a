import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { externalProfile } from './external-profile.js';
import type { SearchPosition, UserDirectory } from './user-directory.port.js';
import type { UserRecord } from './user-record.js';

export interface DirectoryUnderTest {
  directory: UserDirectory;
  /** Makes a user as a sign-up would. */
  addUser: (username: string, displayName: string) => Promise<UserRecord>;
}

/** What every directory keeps to. */
export function userDirectoryContract(name: string, make: () => DirectoryUnderTest): void {
  describe(`user directory: ${name}`, () => {
    let directory: UserDirectory;
    let addUser: DirectoryUnderTest['addUser'];
    beforeAll(() => {
      ({ directory, addUser } = make());
    });
    const word = () => `w${randomBytes(5).toString('hex')}`;

    async function found(prefix: string, pageSize = 100): Promise<string[]> {
      const names: string[] = [];
      let after: SearchPosition | null = null;
      for (;;) {
        const hits = await directory.search(prefix, after, pageSize);
        names.push(...hits.map(({ user }) => user.username));
        if (hits.length < pageSize) return names;
        after = hits.at(-1)!.position;
      }
    }

    it('finds users by their ids, each once, and leaves out the others', async () => {
      const [ada, bob] = [await addUser(word(), 'Ada'), await addUser(word(), 'Bob')];
      const ids = [ada.userId, bob.userId, randomUUID(), ada.userId];
      const users = await directory.findMany(ids);
      expect(users).toHaveLength(2);
      expect(users).toEqual(expect.arrayContaining([ada, bob]));
      expect(await directory.existing(ids)).toEqual(new Set([ada.userId, bob.userId]));
      expect(await directory.find(ada.userId)).toEqual(ada);
      expect(await directory.find(randomUUID())).toBeNull();
      expect([await directory.findMany([]), await directory.existing([])]).toEqual([[], new Set()]);
    });

    it('changes what is given and leaves the rest', async () => {
      const ada = await addUser(word(), 'Ada');
      const changed = await directory.update(ada.userId, { displayName: 'Countess', presenceHidden: true });
      expect(changed).toEqual({ ...ada, displayName: 'Countess', presenceHidden: true });
      const again = await directory.update(ada.userId, { statusText: 'away', pushPreview: false });
      expect(again).toEqual({ ...changed, statusText: 'away', pushPreview: false });
      expect(await directory.update(ada.userId, {})).toEqual(again);
      expect(await directory.update(ada.userId, { statusText: null })).toEqual({ ...again, statusText: null });
      expect(await directory.update(randomUUID(), { statusText: 'x' })).toBeNull();
    });

    it('searches the beginning of user name and display name, whatever the case', async () => {
      const key = word();
      await addUser(`${key}.a`, 'Someone');
      await addUser(word(), 'x').then(({ userId }) => directory.update(userId, { displayName: `${key} ÉCLAIR Σ` }));
      expect(await found(key)).toHaveLength(2);
      expect(await found(`${key.toUpperCase()} éclair`)).toHaveLength(1);
      expect(await found(`${key} e\u0301clair ς`)).toHaveLength(1);
      expect(await found(key.slice(1))).toEqual([]);
    });

    it('does not find a display name that was changed by what it was', async () => {
      const key = word();
      const { userId } = await addUser(word(), `${key} before`);
      expect(await found(`${key} b`)).toHaveLength(1);
      await directory.update(userId, { displayName: `${key} after` });
      expect(await found(`${key} b`)).toEqual([]);
      expect(await found(`${key} a`)).toHaveLength(1);
    });

    it('takes %, _ and \\ for themselves', async () => {
      const key = word();
      await addUser(word(), `${key}%_\\x`);
      await addUser(word(), `${key}abcx`);
      expect(await found(`${key}%`)).toHaveLength(1);
      expect(await found(`${key}%_`)).toHaveLength(1);
      expect(await found(`${key}%_\\`)).toHaveLength(1);
      expect(await found(`${key}_`)).toEqual([]);
      expect(await found(`${key}\\`)).toEqual([]);
    });

    it('pages through everybody once, whatever the size of the page', async () => {
      const key = word();
      // Some match by both names, some by one; display names tie.
      for (let i = 0; i < 7; i++) await addUser(`${key}${i}`, i % 2 ? `${key} both` : 'other');
      for (let i = 0; i < 6; i++) await addUser(word(), i < 4 ? `${key} tie` : `${key} own ${i}`);
      const everybody = await found(key, 100);
      expect(everybody).toHaveLength(13);
      expect(new Set(everybody).size).toBe(13);
      expect(everybody.slice(0, 7)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `${key}${i}`));
      for (const size of [1, 2, 3, 5, 7, 13]) expect(await found(key, size)).toEqual(everybody);
    });

    it('makes a user of another system once, also when twenty ask at once, and keeps what the user changed', async () => {
      const userId = randomUUID();
      const profile = externalProfile(userId, {
        issuer: 'i',
        subject: 's',
        name: 'Ext',
        picture: 'https://a.example/p',
      });
      await Promise.all(Array.from({ length: 20 }, () => directory.ensureExternal(userId, profile)));
      expect(await directory.find(userId)).toMatchObject({ ...profile, userId });
      await directory.update(userId, { displayName: 'Mine', avatarUrl: null });
      await directory.ensureExternal(userId, profile);
      expect(await directory.find(userId)).toMatchObject({ displayName: 'Mine', avatarUrl: null });
    });

    it('gives a user of another system a free name when somebody has the first one', async () => {
      const userId = randomUUID();
      const profile = externalProfile(userId, { issuer: 'i', subject: 's' });
      const squatter = await addUser(profile.username, 'Squatter');
      await directory.ensureExternal(userId, profile);
      const user = await directory.find(userId);
      expect(user?.username).toMatch(/^ext-[0-9a-f]{24}$/);
      expect(user?.username).not.toBe(squatter.username);
    });
  });
}
