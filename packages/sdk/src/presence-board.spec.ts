import { PRESENCE_USERS_MAX } from '@parley/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from './errors.js';
import { PRESENCE_WATCHED_MAX, PresenceBoard } from './presence-board.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { Presence } from './wire.js';

const presence = (userId: string, status: Presence['status'] = 'online'): Presence => ({
  userId,
  status,
  lastSeen: null,
});

let clock: VirtualClock;
let board: PresenceBoard;
let asked: { name: string; userIds: readonly string[] }[];
let isConnected: boolean;
let refusals: number;
const faults: unknown[] = [];
beforeEach(() => {
  clock = new VirtualClock();
  asked = [];
  isConnected = true;
  refusals = 0;
  faults.length = 0;
  board = new PresenceBoard({
    clock,
    random: () => 1,
    isConnected: () => isConnected,
    ask: async (name, { userIds }) => {
      asked.push({ name, userIds });
      if (refusals-- > 0) throw new ParleyError('rate_limited', 'Too many', { retryable: true });
      return { ok: true as const, presences: userIds.map((userId) => presence(userId)) } as never;
    },
    fault: (cause) => faults.push(cause),
  });
});

const seen: string[][] = [];
const see = (presences: readonly Presence[]) =>
  void seen.push(presences.map(({ userId, status }) => `${userId} ${status}`));
beforeEach(() => void (seen.length = 0));

describe('presence', () => {
  it('is subscribed to once for each user, however many look, and told to all of them', async () => {
    const ends = [board.watch(['ada', 'ben'], see), board.watch(['ben', 'cleo', 'ben'], see)];
    await clock.advance(100);
    expect(asked).toEqual([{ name: 'presence_subscribe', userIds: ['ada', 'ben', 'cleo'] }]);
    expect(seen.at(-1)).toEqual(['ben online', 'cleo online']);
    seen.length = 0;
    board.update(presence('ben', 'idle'));
    expect(seen).toEqual([
      ['ada online', 'ben idle'],
      ['ben idle', 'cleo online'],
    ]);
    for (const end of ends) end();
    await clock.advance(10_000);
    expect(asked.slice(1)).toEqual([{ name: 'presence_unsubscribe', userIds: ['ada', 'ben', 'cleo'] }]);
    expect(board.of('ben')).toBeNull();
  });

  it('of somebody who is looked at again at once is not asked for again', async () => {
    const end = board.watch(['ada'], see);
    await clock.advance(100);
    end();
    await clock.advance(1_000);
    board.watch(['ada'], see);
    expect(seen.at(-1)).toEqual(['ada online']);
    await clock.advance(10_000);
    expect(asked).toHaveLength(1);
  });

  it('is subscribed to again on each connection, and after a refusal', async () => {
    isConnected = false;
    board.watch(['ada'], see);
    await clock.advance(1_000);
    expect(asked).toEqual([]);
    isConnected = true;
    refusals = 1;
    board.connected();
    await clock.advance(999);
    expect(asked).toHaveLength(1);
    expect(board.of('ada')).toBeNull();
    await clock.advance(1);
    expect(board.of('ada')).toEqual(presence('ada'));
    board.connected();
    await clock.advance(1);
    expect(asked).toHaveLength(3);
  });

  it('is asked for of 500 at most, and of others when there is room', async () => {
    expect(PRESENCE_WATCHED_MAX).toBe(PRESENCE_USERS_MAX);
    const first = Array.from({ length: PRESENCE_WATCHED_MAX }, (_, i) => `user ${i}`);
    const end = board.watch(first, see);
    board.watch(['late'], see);
    await clock.advance(100);
    expect(asked.map(({ userIds }) => userIds.length)).toEqual([PRESENCE_WATCHED_MAX]);
    end();
    await clock.advance(3_000);
    expect(board.of('late')).toEqual(presence('late'));
    expect(asked.at(-1)).toEqual({ name: 'presence_subscribe', userIds: ['late'] });
  });

  it('survives a listener that throws', async () => {
    board.watch(['ada'], () => {
      throw new Error('a listener');
    });
    board.watch(['ada'], see);
    await clock.advance(100);
    expect(seen.at(-1)).toEqual(['ada online']);
    expect(faults).toHaveLength(2);
  });

  it('leaves no timer behind', async () => {
    refusals = 1;
    board.watch(['ada'], see);
    await clock.advance(100);
    board.stop();
    expect(clock.waiting).toBe(0);
  });
});
