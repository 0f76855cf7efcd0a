import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { PRESENCE_USERS_MAX } from '@parley/contracts';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SUBSCRIPTIONS_MAX } from './presence-watch.js';
import { PresenceTrial, type TrialSocket } from '../testing/presence-trial.js';

let trial: PresenceTrial;
let ada: TrialSocket;
let ben: TrialSocket;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  trial = new PresenceTrial();
  ada = trial.west.connect();
  ben = trial.east.connect();
  await pass(500);
});
afterEach(async () => {
  await trial.stop();
  vi.useRealTimers();
});
const pass = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));
const hide = async (userId: string, hidden: boolean): Promise<void> => {
  if (hidden) trial.records.hidden.add(userId);
  else trial.records.hidden.delete(userId);
  await trial.publish({ type: 'presence-hidden', userId, hidden });
  await pass(1);
};
const block = async (blockerId: string, blockedId: string, blocked: boolean): Promise<void> => {
  if (blocked) trial.records.blocks.add(`${blockerId}/${blockedId}`);
  else trial.records.blocks.delete(`${blockerId}/${blockedId}`);
  await trial.publish({ type: 'blocks-changed', blockerId, blockedId });
  await pass(1);
};

describe('who may not see a user', () => {
  it('sees it offline, without a time, when it hides; all see it again when it does not any more', async () => {
    await ada.watch(ben.userId);
    await hide(ben.userId, true);
    expect(ada.told).toEqual([{ userId: ben.userId, status: 'offline', lastSeen: null }]);
    ben.leave();
    await pass(10_000);
    expect(ada.told).toHaveLength(1);
    expect(await trial.east.connect().watch(ben.userId)).toEqual([
      { userId: ben.userId, status: 'offline', lastSeen: null },
    ]);
    const back = trial.east.connect(ben.userId);
    await pass(500);
    await hide(ben.userId, false);
    expect(ada.statusesOf(back.userId)).toEqual(['offline', 'online']);
  });

  it('is everybody, for a user who hides, but itself', async () => {
    const other = trial.west.connect(ben.userId);
    await ada.watch(ben.userId, ada.userId);
    await hide(ada.userId, true);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    expect(ada.statusesOf(ada.userId)).toEqual([]);
    other.leave();
    await hide(ada.userId, false);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline', 'online']);
  });

  it.each(['is who blocks', 'is who is blocked'])('%s, at once and until the block ends', async (who) => {
    const cyd = trial.west.connect();
    await Promise.all([ada.watch(ben.userId), cyd.watch(ben.userId)]);
    const pair = who === 'is who blocks' ? ([ada.userId, ben.userId] as const) : ([ben.userId, ada.userId] as const);
    await block(...pair, true);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    await block(...pair, false);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline', 'online']);
    expect(cyd.told).toEqual([]);
  });

  it('learns nothing from a reading that began before the block', async () => {
    const gate = Promise.withResolvers<void>();
    trial.records.gate = gate.promise;
    const watching = ada.watch(ben.userId);
    await pass(10);
    await block(ben.userId, ada.userId, true);
    gate.resolve();
    trial.records.gate = null;
    expect(await watching).toEqual([{ userId: ben.userId, status: 'offline', lastSeen: null }]);
    await pass(5_000);
    expect(ada.told).toEqual([]);
  });

  it('is everybody while that cannot be read, and nobody loses the subscription', async () => {
    await ada.watch(ben.userId);
    trial.records.failing = true;
    await block(ada.userId, randomUUID(), true);
    expect(ada.told).toEqual([]);
    await trial.publish({ type: 'blocks-changed', blockerId: ada.userId, blockedId: ben.userId });
    await pass(10);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    trial.records.failing = false;
    await pass(3_000);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline', 'online']);
  });

  it('cannot subscribe while it cannot be read, and nothing is left of that', async () => {
    trial.records.failing = true;
    await expect(ada.watch(ben.userId)).rejects.toMatchObject({ code: 'store_unavailable' });
    expect([trial.west.watch.size, trial.west.users.size]).toEqual([0, 0]);
    trial.records.failing = false;
    expect((await ada.watch(ben.userId))[0]?.status).toBe('online');
  });
});

describe('subscriptions', () => {
  it('are answered in the order asked for, each user once, with those that were there before', async () => {
    await ada.watch(ben.userId);
    const nobody = randomUUID();
    const answer = await ada.watch(nobody, ben.userId, nobody);
    expect(answer.map(({ userId }) => userId)).toEqual([nobody, ben.userId]);
    expect(trial.west.watch.size).toBe(2);
  });

  it(`are ${PRESENCE_USERS_MAX} of a socket at most; what goes beyond is refused and changes nothing`, async () => {
    const many = Array.from({ length: PRESENCE_USERS_MAX - 1 }, () => randomUUID());
    await ada.watch(...many);
    await expect(ada.watch(randomUUID(), ben.userId)).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'userIds', code: 'too_many' }],
    });
    expect(trial.west.watch.size).toBe(PRESENCE_USERS_MAX - 1);
    await ada.watch(ben.userId, many[0]!);
    trial.west.watch.unsubscribe(ada.connection, [many[0]!]);
    await ada.watch(randomUUID());
    expect(trial.west.watch.size).toBe(PRESENCE_USERS_MAX);
  });

  it('of all sockets together are bounded too', async () => {
    trial.west.watch['total'] = SUBSCRIPTIONS_MAX;
    await expect(ada.watch(ben.userId)).rejects.toMatchObject({ code: 'overloaded' });
    trial.west.watch['total'] = 0;
    expect((await ada.watch(ben.userId))[0]?.status).toBe('online');
  });

  it('end where they are ended, and leave nothing behind', async () => {
    const cyd = trial.west.connect();
    await Promise.all([ada.watch(ben.userId, randomUUID()), cyd.watch(ben.userId)]);
    trial.west.watch.unsubscribe(ada.connection, [ben.userId, randomUUID()]);
    ben.leave();
    await pass(7_000);
    expect(ada.told).toEqual([]);
    expect(cyd.statusesOf(ben.userId)).toEqual(['offline']);
    for (const socket of [ada, cyd]) socket.leave();
    expect([trial.west.watch.size, trial.west.users.size]).toEqual([0, 0]);
  });

  it('of a socket that goes while they are made leave nothing behind either', async () => {
    const watching = ada.watch(ben.userId, randomUUID());
    ada.leave();
    await watching;
    expect(await ada.watch(ben.userId)).toEqual([]);
    expect([trial.west.watch.size, trial.west.users.size]).toEqual([0, 0]);
  });

  it('hear nothing before their answer, which is no older than what they hear then', async () => {
    const gate = Promise.withResolvers<void>();
    trial.records.gate = gate.promise;
    const cyd = randomUUID();
    const watching = ada.watch(cyd);
    await pass(10);
    trial.east.connect(cyd);
    await pass(1_500);
    expect(ada.told).toEqual([]);
    gate.resolve();
    expect((await watching)[0]?.status).toBe('online');
    await pass(5_000);
    expect(ada.told).toEqual([]);
  });
});

describe('what changes is cheap', () => {
  it('for 5,000 subscribers of one user: one reading, one packet, written in a moment', async () => {
    const viewers = Array.from({ length: 5_000 }, () => trial.west.connect());
    await Promise.all(viewers.map((viewer) => viewer.watch(ben.userId)));
    // A thousand pairs at a time.
    expect(trial.records.reads).toBeLessThanOrEqual(6);
    await pass(10_000);
    trial.sessions.reads = 0;
    ben.leave();
    await pass(7_000);
    await vi.waitFor(() => expect(viewers.at(-1)?.told).toHaveLength(1));
    expect(viewers.every((viewer) => viewer.statusesOf(ben.userId).join() === 'offline')).toBe(true);
    expect(trial.sessions.reads).toBeLessThanOrEqual(3);
  });

  it('and leaves what is true at last, when it changes again before all subscribers were told', async () => {
    const viewers = Array.from({ length: 3_000 }, () => trial.west.connect());
    await Promise.all(viewers.map((viewer) => viewer.watch(ben.userId)));
    const user = trial.west.users.find(ben.userId)!;
    for (const status of ['idle', 'online', 'idle'] as const) {
      user.status = status;
      trial.west.users.onChanged(user);
    }
    await vi.waitFor(() => expect(viewers.at(-1)?.told.length).toBeGreaterThan(0));
    expect(new Set(viewers.map((viewer) => viewer.statusesOf(ben.userId).at(-1)))).toEqual(new Set(['idle']));
  });

  it('for a user that flaps: its subscribers hear of two changes a second at most', async () => {
    await ada.watch(ben.userId);
    for (let i = 0; i < 100; i++) {
      await trial.publish({ type: 'presence-changed', userId: ben.userId });
      await pass(50);
    }
    expect(trial.sessions.reads).toBeLessThanOrEqual(13);
    expect(ada.told).toEqual([]);
  });
});
