import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Contacts, CONTACTS_MAX } from './contacts.port.js';

export interface ContactsUnderTest {
  contacts: Contacts;
  /** Makes so many users; answers their ids. */
  addUsers: (count: number) => Promise<string[]>;
}

/** What every address book keeps to. */
export function contactsContract(name: string, make: () => ContactsUnderTest): void {
  describe(`contacts: ${name}`, () => {
    let contacts: Contacts;
    let addUsers: ContactsUnderTest['addUsers'];
    beforeAll(() => {
      ({ contacts, addUsers } = make());
    });

    async function listed(ownerId: string, pageSize = 100): Promise<string[]> {
      const ids: string[] = [];
      let before: string | null = null;
      for (;;) {
        const page = await contacts.list(ownerId, before, pageSize);
        ids.push(...page.map(({ user }) => user.userId));
        if (page.length < pageSize) return ids;
        before = page.at(-1)!.position;
      }
    }

    it('lists the newest first, page by page, and nobody else’s', async () => {
      const [owner, other, ...users] = (await addUsers(7)) as [string, string, ...string[]];
      for (const user of users) expect(await contacts.add(owner, user)).toBe('added');
      await contacts.add(other, owner);
      for (const size of [1, 2, 3, 5, 100]) expect(await listed(owner, size)).toEqual([...users].reverse());
      expect(await listed(other)).toEqual([owner]);
    });

    it('adds a user once, also when ten ask at once', async () => {
      const [owner, user] = (await addUsers(2)) as [string, string];
      const answers = await Promise.all(Array.from({ length: 10 }, () => contacts.add(owner, user)));
      expect(answers.toSorted()).toEqual(['added', ...Array<string>(9).fill('already-there')]);
      expect(await listed(owner)).toEqual([user]);
    });

    it('does not know a user that does not exist', async () => {
      const [owner] = (await addUsers(1)) as [string];
      expect(await contacts.add(owner, randomUUID())).toBe('unknown-user');
      expect(await listed(owner)).toEqual([]);
    });

    it('removes a user, and nothing when it is not there', async () => {
      const [owner, user, stays] = (await addUsers(3)) as [string, string, string];
      await contacts.add(owner, user);
      await contacts.add(owner, stays);
      await contacts.remove(owner, user);
      await contacts.remove(owner, user);
      await contacts.remove(owner, randomUUID());
      expect(await listed(owner)).toEqual([stays]);
    });

    it(`holds ${CONTACTS_MAX} and refuses the next one, but not one that is there`, async () => {
      const [owner, ...users] = (await addUsers(CONTACTS_MAX + 2)) as [string, ...string[]];
      for (let from = 0; from < CONTACTS_MAX; from += 500) {
        const batch = users.slice(from, Math.min(from + 500, CONTACTS_MAX));
        await Promise.all(batch.map((user) => contacts.add(owner, user)));
      }
      expect(await contacts.add(owner, users[CONTACTS_MAX]!)).toBe('full');
      expect(await contacts.add(owner, users[0]!)).toBe('already-there');
    });
  });
}
