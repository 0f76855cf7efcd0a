import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AccountStore, NewSession, Rotation } from './account-store.port.js';

const newHash = () => createHash('sha256').update(randomBytes(32)).digest();
const newName = () => `u${randomBytes(6).toString('hex')}`;

function aSession(change: Partial<NewSession> = {}): NewSession {
  const sessionId = randomUUID();
  return { sessionId, deviceId: null, refreshHash: newHash(), refreshSeconds: 600, accessSeconds: 60, ...change };
}

function rotationOf(session: NewSession, change: Partial<Rotation> = {}): Rotation {
  const { sessionId, refreshHash: presentedHash, refreshSeconds, accessSeconds } = session;
  return { sessionId, presentedHash, authentic: true, nextHash: newHash(), refreshSeconds, accessSeconds, ...change };
}

/** What every account store keeps to. */
export function accountStoreContract(name: string, make: () => AccountStore): void {
  describe(`account store: ${name}`, () => {
    let store: AccountStore;
    beforeAll(() => {
      store = make();
    });

    async function account(session = aSession()) {
      const given = { userId: randomUUID(), username: newName(), displayName: 'Ada', passwordHash: 'a hash' };
      const user = await store.createAccount(given, session);
      return { ...given, session, user };
    }

    it('makes a user with what was given, and finds its password by its name', async () => {
      const { user, userId, username } = await account();
      expect(user).toMatchObject({ userId, username, displayName: 'Ada', avatarUrl: null, presenceHidden: false });
      expect(await store.findCredentials(username)).toEqual({ user, passwordHash: 'a hash' });
      expect(await store.isUsernameTaken(username)).toBe(true);
    });

    it('knows no password and no user of a free name', async () => {
      const name = newName();
      expect(await store.findCredentials(name)).toBeNull();
      expect(await store.isUsernameTaken(name)).toBe(false);
    });

    it('gives a name to one of twenty that ask at once, and leaves no session of the others', async () => {
      const username = newName();
      const sessions = Array.from({ length: 20 }, () => aSession());
      const users = await Promise.all(
        sessions.map((session) =>
          store.createAccount({ userId: randomUUID(), username, displayName: 'x', passwordHash: 'h' }, session),
        ),
      );
      expect(users.filter((user) => user !== null)).toHaveLength(1);
      const outcomes = await Promise.all(sessions.map(async (s) => (await store.rotate(rotationOf(s))).outcome));
      expect(outcomes.filter((outcome) => outcome === 'rotated')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(19);
    });

    it('rotates to the next token, with the user and the device', async () => {
      const deviceId = randomUUID();
      const { user, session } = await account();
      const second = aSession({ deviceId });
      await store.createSession(user!.userId, second);
      expect(await store.rotate(rotationOf(session))).toEqual({ outcome: 'rotated', user, deviceId: null });
      const next = rotationOf(second);
      expect(await store.rotate(next)).toEqual({ outcome: 'rotated', user, deviceId });
      const again = rotationOf(second, { presentedHash: next.nextHash });
      expect(await store.rotate(again)).toMatchObject({ outcome: 'rotated' });
    });

    it('ends the whole session when a rotated token comes back', async () => {
      const { session } = await account();
      const next = rotationOf(session);
      await store.rotate(next);
      expect(await store.rotate(rotationOf(session))).toEqual({ outcome: 'reused' });
      expect(await store.rotate(rotationOf(session, { presentedHash: next.nextHash }))).toEqual({ outcome: 'revoked' });
      expect(await store.rotate(rotationOf(session))).toEqual({ outcome: 'reused' });
    });

    it('rotates for at most one of ten that present the same token at once', async () => {
      const { session } = await account();
      const results = await Promise.all(Array.from({ length: 10 }, () => store.rotate(rotationOf(session))));
      expect(results.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1);
      expect(results.filter(({ outcome }) => outcome === 'reused')).toHaveLength(9);
    });

    it('does not let a token that this server never made end a session', async () => {
      const { session } = await account();
      const forged = rotationOf(session, { presentedHash: newHash(), authentic: false });
      expect(await store.rotate(forged)).toEqual({ outcome: 'unknown' });
      expect(await store.rotate(rotationOf(session))).toMatchObject({ outcome: 'rotated' });
    });

    it('refuses a token that has run out, and one of no session', async () => {
      const { session } = await account(aSession({ refreshSeconds: -1 }));
      expect(await store.rotate(rotationOf(session))).toEqual({ outcome: 'expired' });
      expect(await store.rotate(rotationOf(aSession()))).toEqual({ outcome: 'unknown' });
    });

    it('ends a session once, for its own user only', async () => {
      const { session, userId } = await account();
      const token = { sessionId: session.sessionId, hash: session.refreshHash, authentic: true };
      expect(await store.revokeSession(randomUUID(), token)).toBe(false);
      expect(await store.revokeSession(userId, { ...token, hash: newHash(), authentic: false })).toBe(false);
      expect(await store.revokeSession(userId, token)).toBe(true);
      expect(await store.revokeSession(userId, token)).toBe(false);
      expect(await store.rotate(rotationOf(session))).toEqual({ outcome: 'revoked' });
    });

    it('purges sessions that ran out more than a day ago, and only those', async () => {
      const dayAndHour = 25 * 3_600;
      const gone = aSession({ refreshSeconds: -dayAndHour, accessSeconds: -dayAndHour - 60 });
      await account(gone);
      const kept = [aSession({ refreshSeconds: -3_600 }), aSession()];
      for (const session of kept) await account(session);
      expect(await store.purgeExpiredSessions(100)).toBe(1);
      expect(await store.rotate(rotationOf(gone))).toEqual({ outcome: 'unknown' });
      expect(await store.rotate(rotationOf(kept[0]!))).toEqual({ outcome: 'expired' });
      expect(await store.purgeExpiredSessions(100)).toBe(0);
    });
  });
}
