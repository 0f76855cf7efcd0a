import { describe, expect, it } from 'vitest';
import { gatewaysFor } from './gateway-choice.js';

const URLS = ['https://g1.example', 'https://g2.example', 'https://g3.example'];
const USERS = Array.from({ length: 900 }, (_, i) => `user ${i}`);
const firstOf = (userId: string, urls = URLS): string | undefined => gatewaysFor(userId, urls)[0];

describe('the choice of a gateway', () => {
  it('is steady for a user, however the gateways are listed, and names all of them', () => {
    for (const user of USERS.slice(0, 20)) {
      const order = gatewaysFor(user, URLS);
      expect(gatewaysFor(user, URLS.toReversed())).toEqual(order);
      expect(order.toSorted()).toEqual(URLS);
    }
  });

  it('spreads users evenly', () => {
    for (const url of URLS) {
      const users = USERS.filter((user) => firstOf(user) === url).length;
      expect(users).toBeGreaterThan(240);
      expect(users).toBeLessThan(360);
    }
  });

  it('moves only the users of a gateway that goes', () => {
    const rest = URLS.slice(1);
    const others = USERS.filter((user) => firstOf(user) !== URLS[0]);
    expect(others.map((user) => firstOf(user, rest))).toEqual(others.map((user) => firstOf(user)));
  });
});
