import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { SESSION_TTL_MS } from '@parley/domain';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PresenceTrial, type TrialSocket } from '../testing/presence-trial.js';
import { RECORD_EVERY_MS, SEEN_WAITING_MAX } from './session-reporter.js';

let trial: PresenceTrial;
let ada: TrialSocket;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  trial = new PresenceTrial();
  ada = trial.west.connect();
});
afterEach(async () => {
  const stopping = trial.stop();
  await pass(2_500);
  await stopping;
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
/** So that these sockets are not taken for gone; nobody is active at them. */
async function passWithHeartbeats(ms: number, ...sockets: TrialSocket[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10_000) {
    for (const socket of [ada, ...sockets]) socket.heartbeat(false);
    await pass(Math.min(10_000, ms - passed));
  }
}

describe('a user is shown', () => {
  it('online to subscribers at other gateways within two seconds of connecting', async () => {
    const ben = randomUUID();
    expect(await ada.watch(ben)).toEqual([{ userId: ben, status: 'offline', lastSeen: null }]);
    trial.east.connect(ben);
    await pass(1_000);
    expect(ada.told).toEqual([{ userId: ben, status: 'online', lastSeen: null }]);
  });

  it('as it is, to those who subscribe later', async () => {
    const ben = trial.east.connect();
    await pass(500);
    expect(await ada.watch(ben.userId)).toEqual([{ userId: ben.userId, status: 'online', lastSeen: null }]);
    await pass(10_000);
    expect(ada.told).toEqual([]);
  });

  it('offline when the last device has been gone for 5 s, with the time at which it went', async () => {
    const ben = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId);
    const goneAt = Date.now();
    ben.leave();
    await pass(4_900);
    expect(ada.told).toEqual([]);
    await pass(1_500);
    expect(ada.told).toEqual([{ userId: ben.userId, status: 'offline', lastSeen: new Date(goneAt).toISOString() }]);
    const late = await trial.east.connect().watch(ben.userId);
    expect(late).toEqual(ada.told);
  });

  it.each(['the same gateway', 'another gateway', 'another device'])(
    'without a change when it is back within 5 s, at %s',
    async (where) => {
      const ben = trial.east.connect();
      const { deviceId } = ben.connection;
      await pass(500);
      await ada.watch(ben.userId);
      ben.leave();
      await pass(4_000);
      const gateway = where === 'another gateway' ? trial.west : trial.east;
      const back = gateway.connect(ben.userId, where === 'another device' ? randomUUID() : deviceId);
      await passWithHeartbeats(50_000, back);
      expect(ada.told).toEqual([]);
    },
  );

  it('online with several sockets of one device, until the last of them has gone', async () => {
    const first = trial.east.connect();
    const second = trial.east.connect(first.userId, first.connection.deviceId);
    await pass(500);
    await ada.watch(first.userId);
    first.leave();
    await passWithHeartbeats(10_000, second);
    expect(ada.told).toEqual([]);
    second.leave();
    await pass(6_500);
    expect(ada.statusesOf(first.userId)).toEqual(['offline']);
  });
});

describe('idleness', () => {
  it('begins 60 s after the last sign of activity, and ends with the next', async () => {
    const ben = trial.east.connect();
    await ada.watch(ben.userId);
    await pass(500);
    await passWithHeartbeats(58_000, ben);
    expect(ada.statusesOf(ben.userId)).toEqual(['online']);
    await passWithHeartbeats(4_000, ben);
    expect(ada.statusesOf(ben.userId)).toEqual(['online', 'idle']);
    ben.heartbeat(true);
    await pass(2_000);
    expect(ada.statusesOf(ben.userId)).toEqual(['online', 'idle', 'online']);
  });

  it('of one device is not seen while another is active, and is when that one goes', async () => {
    const phone = trial.east.connect();
    const laptop = trial.west.connect(phone.userId);
    await pass(500);
    await ada.watch(phone.userId);
    for (let i = 0; i < 10; i++) {
      laptop.heartbeat(true);
      await passWithHeartbeats(20_000, phone);
    }
    expect(ada.told).toEqual([]);
    laptop.leave();
    await passWithHeartbeats(7_000, phone);
    expect(ada.statusesOf(phone.userId)).toEqual(['idle']);
    phone.leave();
    await pass(7_000);
    expect(ada.statusesOf(phone.userId)).toEqual(['idle', 'offline']);
  });
});

describe('who goes without a word', () => {
  it('is offline when nothing was heard for 90 s, whatever becomes of the socket', async () => {
    const ben = trial.east.connect();
    await ada.watch(ben.userId);
    await passWithHeartbeats(30_000, ben);
    const lastSign = ben.connection.lastEventAt;
    await pass(SESSION_TTL_MS - (Date.now() - lastSign) - 1_000);
    expect(ada.statusesOf(ben.userId)).not.toContain('offline');
    await pass(3_500);
    expect(ada.statusesOf(ben.userId).at(-1)).toBe('offline');
    ben.leave();
    await passWithHeartbeats(20_000);
    expect(ada.statusesOf(ben.userId).filter((status) => status === 'offline')).toHaveLength(1);
    expect((await trial.east.connect().watch(ben.userId))[0]?.lastSeen).toBe(new Date(lastSign).toISOString());
  });

  it('with its gateway is offline within 90 s, and was there until then', async () => {
    const ben = trial.east.connect();
    await ada.watch(ben.userId);
    await passWithHeartbeats(60_000, ben);
    const crashedAt = Date.now();
    trial.east.crash();
    await passWithHeartbeats(SESSION_TTL_MS + 2_000);
    const [last] = ada.told.slice(-1);
    expect(last?.status).toBe('offline');
    expect(Math.abs(Date.parse(last!.lastSeen!) - crashedAt)).toBeLessThan(31_000);
    // Nobody but those who watched could know.
    expect(trial.records.seen.get(ben.userId)).toBe(Date.parse(last!.lastSeen!));
  });

  it('leaves a time in the database all the same', async () => {
    const ben = trial.east.connect();
    const cameAt = Date.now();
    await pass(500);
    trial.east.crash();
    expect(trial.records.seen.get(ben.userId)).toBe(cameAt);
  });

  it('leaves a time that is five minutes old at most, though nobody watched', async () => {
    const ben = trial.east.connect();
    await passWithHeartbeats(3 * RECORD_EVERY_MS + 100_000, ben);
    const crashedAt = Date.now();
    trial.east.crash();
    const recordedAgo = crashedAt - (trial.records.seen.get(ben.userId) ?? 0);
    expect(recordedAgo).toBeLessThan(RECORD_EVERY_MS);
    expect(recordedAgo).toBeGreaterThan(60_000);
  });

  it('is offline 5 s after its gateway ended in order, and not shown where it came back meanwhile', async () => {
    const ben = trial.east.connect();
    const cyd = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId, cyd.userId);
    await trial.east.stop();
    await pass(2_000);
    const back = trial.west.connect(cyd.userId, cyd.connection.deviceId);
    await passWithHeartbeats(20_000, back);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    expect(ada.statusesOf(cyd.userId)).toEqual([]);
    expect(trial.records.seen.get(ben.userId)).toBeGreaterThan(0);
  });
});

describe('while something is lost', () => {
  it('shows everybody offline when the registry stays away, and everybody right within 90 s of its return', async () => {
    const ben = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId);
    trial.sessions.goAway();
    await passWithHeartbeats(4_000, ben);
    expect(ada.told).toEqual([]);
    await passWithHeartbeats(5_000, ben);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    await passWithHeartbeats(30_000, ben);
    const cyd = trial.east.connect();
    expect((await ada.watch(cyd.userId))[0]?.status).toBe('offline');
    trial.sessions.comeBackEmpty();
    ben.heartbeat(true);
    await passWithHeartbeats(10_000, ben, cyd);
    expect(ada.statusesOf(ben.userId).at(-1)).toBe('online');
    expect(ada.statusesOf(cyd.userId).at(-1)).toBe('online');
  });

  it('shows nothing of a short outage, though everything was forgotten in it', async () => {
    const ben = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId);
    await passWithHeartbeats(30_000, ben);
    trial.sessions.goAway();
    await passWithHeartbeats(4_000, ben);
    trial.sessions.comeBackEmpty();
    await passWithHeartbeats(20_000, ben);
    expect(ada.told).toEqual([]);
  });

  it('notices who went during an outage', async () => {
    const ben = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId);
    trial.sessions.goAway();
    ben.leave();
    await pass(2_000);
    trial.sessions.comeBackEmpty();
    await passWithHeartbeats(30_000);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    expect(trial.east.reporter.size).toBe(0);
  });

  it('is right again after a registry forgot everything and nobody noticed', async () => {
    const ben = trial.east.connect();
    await pass(500);
    await ada.watch(ben.userId);
    trial.sessions.forget();
    await passWithHeartbeats(90_000, ben);
    expect((await trial.east.connect().watch(ben.userId))[0]?.status).toBe('idle');
    expect(ada.statusesOf(ben.userId).at(-1)).toBe('idle');
  });

  it('finds out within a minute or so what was not heard', async () => {
    const ben = trial.east.connect();
    const cyd = randomUUID();
    await pass(500);
    await ada.watch(ben.userId, cyd);
    trial.setDeaf(true);
    ben.leave();
    const came = trial.east.connect(cyd);
    await passWithHeartbeats(65_000, came);
    expect(ada.statusesOf(ben.userId)).toEqual(['offline']);
    expect(ada.statusesOf(cyd).length).toBeGreaterThan(0);
  });

  it('records who was there when, once the database can be written again', async () => {
    trial.records.failing = true;
    const ben = trial.east.connect();
    await pass(500);
    ben.leave();
    const goneAt = Date.now();
    await pass(20_000);
    expect(trial.records.seen.size).toBe(0);
    trial.records.failing = false;
    await pass(6_000);
    expect(trial.records.seen.get(ben.userId)).toBe(goneAt);
  });
});

describe('a gateway', () => {
  it('ends in bounded time though the registry does not answer', async () => {
    trial.east.connect();
    trial.sessions.hangs = true;
    const stopping = trial.east.stop();
    await pass(2_100);
    await expect(stopping).resolves.toBeUndefined();
  });

  it(`remembers the last times of ${SEEN_WAITING_MAX} users at most while the database is away`, () => {
    const { seen } = trial.east.reporter as unknown as { seen: Map<string, number> };
    for (let i = 0; i < SEEN_WAITING_MAX; i++) seen.set(`user ${i}`, 1);
    trial.east.connect();
    expect(seen.size).toBe(SEEN_WAITING_MAX);
    trial.east.connect('user 7');
    expect(seen.get('user 7')).toBe(Date.now());
  });
});

describe('reports to the registry', () => {
  it('are one call for a window and a gateway, also for a thousand devices', async () => {
    for (let i = 0; i < 1_000; i++) trial.east.connect();
    await pass(100);
    // That of the gateway in the west is of the one who is there.
    expect(trial.sessions.puts.toSorted((a, b) => a - b)).toEqual([1, 1_000]);
    trial.sessions.puts = [];
    await pass(19_000);
    expect(trial.sessions.puts).toEqual([]);
    await pass(2_000);
    expect(trial.sessions.puts.toSorted((a, b) => a - b)).toEqual([1, 1_000]);
  });

  it('are forgotten with the device', async () => {
    const sockets = Array.from({ length: 100 }, () => trial.east.connect());
    await pass(500);
    for (const socket of sockets) socket.leave();
    expect(trial.east.reporter.size).toBe(100);
    await pass(500);
    expect(trial.east.reporter.size).toBe(0);
  });
});
