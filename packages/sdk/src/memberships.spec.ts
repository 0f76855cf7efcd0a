import { expect, it } from 'vitest';
import { Memberships } from './memberships.js';

it('a change counts for what was asked before it, and of more than 1,000 every older answer counts as outdated', () => {
  const memberships = new Memberships();
  const before = memberships.now;
  expect(memberships.hasChanged('one', before)).toBe(false);
  memberships.note('one');
  expect(memberships.hasChanged('one', before)).toBe(true);
  expect(memberships.hasChanged('two', before)).toBe(false);
  expect(memberships.hasChanged('one', memberships.now)).toBe(false);
  const between = memberships.now;
  for (let i = 0; i < 999; i++) memberships.note(`other ${i}`);
  memberships.note('one');
  expect(memberships.hasChanged('two', before)).toBe(false);
  memberships.note('one more');
  expect(memberships.hasChanged('other 0', between)).toBe(true);
  expect(memberships.hasChanged('two', between)).toBe(true);
  expect(memberships.hasChanged('one', between)).toBe(true);
  expect(memberships.hasChanged('two', memberships.now)).toBe(false);
});
