import { describe, expect, it } from 'vitest';
import type { GatewayEntry } from '../ports/gateway-registry.port.js';
import { gatewaysFor, rendezvous } from './gateway-choice.js';

const URLS = ['https://g1.example', 'https://g2.example', 'https://g3.example'];
const USERS = Array.from({ length: 900 }, (_, i) => `user ${i}`);
const entry = (url: string, connections = 0, more: Partial<GatewayEntry> = {}): GatewayEntry => ({
  gatewayId: url,
  url,
  region: null,
  connections,
  draining: false,
  ...more,
});
const firstOf = (userId: string, gateways: readonly GatewayEntry[], region: string | null = null) =>
  gatewaysFor(userId, region, gateways)[0];
const entries = (...connections: number[]): GatewayEntry[] => connections.map((count, i) => entry(URLS[i]!, count));

describe('the choice of a gateway', () => {
  it('is steady for a user, however the gateways are listed, and names all of them', () => {
    for (const user of USERS.slice(0, 20)) {
      const order = gatewaysFor(user, null, entries(10, 40, 20));
      expect(order).toEqual(rendezvous(user, URLS));
      expect(gatewaysFor(user, null, entries(10, 40, 20).toReversed())).toEqual(order);
      expect(order.toSorted()).toEqual(URLS);
    }
  });

  it('spreads users evenly', () => {
    for (const url of URLS) {
      const users = USERS.filter((user) => firstOf(user, entries(0, 0, 0)) === url).length;
      expect(users).toBeGreaterThan(240);
      expect(users).toBeLessThan(360);
    }
  });

  it('moves only the users of a gateway that goes, or drains', () => {
    const all = entries(100, 100, 100);
    const others = USERS.filter((user) => firstOf(user, all) !== URLS[0]);
    const draining = [{ ...all[0]!, draining: true }, ...all.slice(1)];
    for (const rest of [all.slice(1), draining]) {
      expect(others.map((user) => firstOf(user, rest))).toEqual(others.map((user) => firstOf(user, all)));
      expect(USERS.filter((user) => firstOf(user, rest) === URLS[0])).toEqual([]);
    }
  });

  it('leaves users where they are for a small difference, and sends nobody to the clearly fuller one', () => {
    const steady = USERS.map((user) => firstOf(user, entries(1_000, 1_000, 1_000)));
    expect(USERS.map((user) => firstOf(user, entries(1_200, 1_000, 900)))).toEqual(steady);
    expect(USERS.map((user) => firstOf(user, entries(60, 0, 0)))).toEqual(steady);
    const unequal = entries(5_000, 1_000, 1_000);
    expect(USERS.filter((user) => firstOf(user, unequal) === URLS[0])).toEqual([]);
    // It is the last to fall back to.
    expect(gatewaysFor('user 1', null, unequal).at(-1)).toBe(URLS[0]);
  });

  it('gives a new gateway all newcomers until it carries its part', () => {
    expect(new Set(USERS.map((user) => firstOf(user, entries(3_000, 3_000, 0))))).toEqual(new Set([URLS[2]]));
    expect(new Set(USERS.map((user) => firstOf(user, entries(3_000, 3_000, 2_500)))).size).toBe(3);
  });

  it('goes by region first, and falls back to the others', () => {
    const gateways = [
      entry('https://eu-full', 9_000, { region: 'eu' }),
      entry('https://eu', 10, { region: 'eu' }),
      entry('https://us', 0, { region: 'us' }),
      entry('https://nowhere', 0),
    ];
    for (const user of USERS.slice(0, 20)) {
      const order = gatewaysFor(user, 'eu', gateways);
      expect(order.slice(0, 2)).toEqual(['https://eu', 'https://eu-full']);
      expect(order).toHaveLength(4);
      expect(gatewaysFor(user, 'mars', gateways)).toEqual(gatewaysFor(user, null, gateways));
    }
  });

  it('takes several gateways behind one address for one, and one that was restarted for the new one', () => {
    const same = [entry('https://lb', 50_000), { ...entry('https://lb', 3), gatewayId: 'new' }, entry('https://g1', 5)];
    const users = USERS.filter((user) => firstOf(user, same) === 'https://lb');
    expect(users.length).toBeGreaterThan(300);
    expect(gatewaysFor('user 1', null, same)).toHaveLength(2);
  });
});
