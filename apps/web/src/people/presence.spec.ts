import { expect, it } from 'vitest';
import { presenceText } from './presence.jsx';

const now = new Date(2026, 10, 23, 15, 0).getTime();
const seen = (...date: [number, number, number]): string =>
  presenceText({ userId: 'u', status: 'offline', lastSeen: new Date(...date, 9, 30).toISOString() }, now);

it.each([
  ['today', seen(2026, 10, 23), /^last seen today at /],
  ['yesterday', seen(2026, 10, 22), /^last seen yesterday at /],
  ['a day of this week', seen(2026, 10, 19), /^last seen Thursday at /],
  ['a day of this year', seen(2026, 10, 2), /^last seen November 2 at /],
])('names %s as it is written', (_day, text, expected) => {
  expect(text).toMatch(expected);
});
