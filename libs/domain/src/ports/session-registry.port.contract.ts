import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type DeviceSession,
  type SessionRegistry,
  type SessionReport,
  SESSIONS_PER_USER_MAX,
} from './session-registry.port.js';

export interface RegistriesUnderTest {
  /** Two processes of one system; the same one twice where there can be only one. */
  here: SessionRegistry;
  there: SessionRegistry;
  /** Lets so much time pass. */
  pass: (ms: number) => void;
  close: () => Promise<void>;
}

/** What every registry of sessions keeps to. */
export function sessionRegistryContract(name: string, open: () => Promise<RegistriesUnderTest>): void {
  describe(`session registry: ${name}`, () => {
    let trial: RegistriesUnderTest;
    beforeEach(async () => {
      trial = await open();
    });
    afterEach(() => trial.close());

    const report = (userId: string, change: Partial<SessionReport> = {}): SessionReport => ({
      userId,
      deviceId: 'phone',
      gatewayId: 'east',
      status: 'online',
      connected: true,
      connectedAt: 1_700_000_000_000,
      ttlMs: 60_000,
      ...change,
    });
    async function of(userId: string, registry = trial.there): Promise<readonly DeviceSession[]> {
      const sessions = await registry.ofUsers([userId]);
      expect(sessions).not.toBeNull();
      return sessions?.get(userId) ?? [];
    }
    const devicesOf = async (userId: string): Promise<string[]> =>
      (await of(userId)).map(({ gatewayId, deviceId }) => `${gatewayId}/${deviceId}`).toSorted();

    it('tells of every session what was reported of it, in another process too', async () => {
      const [ada, ben] = [randomUUID(), randomUUID()];
      const reports = [
        report(ada),
        report(ada, { deviceId: 'laptop', status: 'idle', connectedAt: 1_700_000_009_999 }),
        report(ben, { gatewayId: 'west', connected: false, ttlMs: 5_000 }),
      ];
      expect(await trial.here.put(reports)).toBe(true);
      const sessions = await trial.there.ofUsers([ada, ben, randomUUID()]);
      expect(new Set(sessions?.keys())).toEqual(new Set([ada, ben]));
      const told = [...sessions!.values()].flat();
      expect(told).toHaveLength(reports.length);
      for (const { ttlMs, ...expected } of reports) {
        const { expiresInMs, ...session } = told.find(
          ({ userId, deviceId }) => userId === expected.userId && deviceId === expected.deviceId,
        )!;
        expect(session).toEqual(expected);
        expect(expiresInMs).toBeGreaterThan(ttlMs - 5_000);
        expect(expiresInMs).toBeLessThanOrEqual(ttlMs);
      }
    });

    it('knows nothing of users who were never reported, and takes nothing for an answer', async () => {
      expect(await trial.here.ofUsers([])).toEqual(new Map());
      expect(await trial.here.ofUsers([randomUUID()])).toEqual(new Map());
      expect(await trial.here.put([])).toBe(true);
    });

    it('replaces the report of the same device at the same gateway, and no other', async () => {
      const ada = randomUUID();
      await trial.here.put([report(ada), report(ada, { gatewayId: 'west' }), report(ada, { deviceId: 'laptop' })]);
      await trial.there.put([report(ada, { status: 'idle' })]);
      expect(await devicesOf(ada)).toEqual(['east/laptop', 'east/phone', 'west/phone']);
      const idle = (await of(ada)).filter(({ status }) => status === 'idle');
      expect(idle.map(({ gatewayId, deviceId }) => `${gatewayId}/${deviceId}`)).toEqual(['east/phone']);
    });

    it('ends each session by itself when its time is over, unless it was reported again', async () => {
      const ada = randomUUID();
      await trial.here.put([
        report(ada, { ttlMs: 10_000 }),
        report(ada, { deviceId: 'laptop', ttlMs: 10_000 }),
        report(ada, { deviceId: 'tablet', ttlMs: 30_000 }),
      ]);
      trial.pass(6_000);
      await trial.here.put([report(ada, { ttlMs: 10_000 })]);
      trial.pass(6_000);
      expect(await devicesOf(ada)).toEqual(['east/phone', 'east/tablet']);
      trial.pass(6_000);
      expect(await devicesOf(ada)).toEqual(['east/tablet']);
      trial.pass(20_000);
      expect(await of(ada)).toEqual([]);
      expect((await trial.here.ofUsers([ada]))?.has(ada)).toBe(false);
    });

    it.each([0, -1])(
      'ends a session at once that is reported with %i ms left, and never begins one so',
      async (ttlMs) => {
        const ada = randomUUID();
        await trial.here.put([report(ada), report(ada, { deviceId: 'laptop' })]);
        await trial.here.put([report(ada, { ttlMs }), report(ada, { deviceId: 'tablet', ttlMs })]);
        expect(await devicesOf(ada)).toEqual(['east/laptop']);
        await trial.here.put([report(ada, { deviceId: 'laptop', ttlMs })]);
        expect(await of(ada)).toEqual([]);
      },
    );

    it('takes the last of several reports of one device in one call', async () => {
      const ada = randomUUID();
      await trial.here.put([report(ada), report(ada, { ttlMs: 0 }), report(ada, { status: 'idle' })]);
      expect((await of(ada)).map(({ status }) => status)).toEqual(['idle']);
      await trial.here.put([report(ada), report(ada, { ttlMs: 0 })]);
      expect(await of(ada)).toEqual([]);
    });

    it(`keeps at most ${SESSIONS_PER_USER_MAX} sessions of a user, and goes on refreshing those`, async () => {
      const ada = randomUUID();
      const many = Array.from({ length: SESSIONS_PER_USER_MAX + 50 }, (_, i) =>
        report(ada, { deviceId: `device ${i}`, ttlMs: 10_000 }),
      );
      await trial.here.put(many);
      const kept = await devicesOf(ada);
      expect(kept).toHaveLength(SESSIONS_PER_USER_MAX);
      trial.pass(6_000);
      await trial.here.put(many);
      trial.pass(6_000);
      expect(await devicesOf(ada)).toEqual(kept);
      trial.pass(6_000);
      await trial.here.put([report(ada, { deviceId: 'a new one' })]);
      expect(await devicesOf(ada)).toEqual(['east/a new one']);
    });

    it('takes 2,000 sessions in one call, and answers for all their users in one', async () => {
      const users = Array.from({ length: 1_000 }, () => randomUUID());
      const reports = users.flatMap((userId) => [report(userId), report(userId, { deviceId: 'laptop' })]);
      expect(await trial.here.put(reports)).toBe(true);
      const sessions = await trial.there.ofUsers(users);
      expect(sessions?.size).toBe(users.length);
      expect([...sessions!.values()].every((devices) => devices.length === 2)).toBe(true);
    });

    it('answers once for a user who is asked for twice', async () => {
      const ada = randomUUID();
      await trial.here.put([report(ada)]);
      const sessions = await trial.there.ofUsers([ada, ada]);
      expect(sessions?.get(ada)).toHaveLength(1);
    });
  });
}
