import { expect, it } from 'vitest';
import { hueOf, initialsOf } from './hue.js';

it.each([
  ['Ada Lovelace', 'AL'],
  ['ada', 'A'],
  ['Ada King Lovelace', 'AL'],
  ['  Grace   (Admiral) Hopper ', 'GH'],
  ['"Ben"', 'B'],
  ['👩🏽‍🚀 Sally', '👩🏽‍🚀S'],
  ['李 小龙', '李小'],
  ['éva', 'É'],
  ['---', '?'],
  ['', '?'],
])('the initials of %j are %j', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

it('gives an id the same colour each time, and different ids most of the colours', () => {
  const ids = Array.from({ length: 200 }, (_, index) => `user-${index}`);
  expect(ids.map(hueOf)).toEqual(ids.map(hueOf));
  expect(new Set(ids.map(hueOf)).size).toBe(8);
});
