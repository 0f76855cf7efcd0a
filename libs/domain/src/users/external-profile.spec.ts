import { UsernameSchema } from '@parley/contracts';
import { describe, expect, it } from 'vitest';
import { externalProfile, externalUsername, isReservedUsername } from './external-profile.js';

const userId = '5f0c6a3e-8a0e-5d53-9f0a-0d6a6f3b2c11';
const profileOf = (claims: { subject?: string; name?: unknown; picture?: unknown }) =>
  externalProfile(userId, { issuer: 'https://id.example', subject: 'employee-7', ...claims });

describe('the profile of a user of another system', () => {
  it('takes name and picture from the token', () => {
    const profile = profileOf({ name: ' Ada Lovelace ', picture: 'https://img.example/a.png?s=64' });
    expect(profile).toMatchObject({ displayName: 'Ada Lovelace', avatarUrl: 'https://img.example/a.png?s=64' });
  });

  it('has a user name that is valid, always the same, and kept from sign-ups', () => {
    const { username } = profileOf({});
    expect(UsernameSchema.safeParse(username).success).toBe(true);
    expect(username).toBe(externalUsername(userId));
    expect(externalUsername(userId, 'salt')).not.toBe(username);
    expect(isReservedUsername(username)).toBe(true);
    expect(['ext-ada', 'ext-', 'ada', `${username}0`].some(isReservedUsername)).toBe(false);
  });

  it.each([
    ['no name', undefined],
    ['a number', 7],
    ['an object', { toString: 'x' }],
    ['nothing visible', ' \u200b\u2060 '],
    ['too long', 'x'.repeat(65)],
    ['NUL', 'a\0b'],
    ['a lone surrogate', 'a\ud800'],
  ])('is named by its id when the name is wrong: %s', (_, name) => {
    expect(profileOf({ name }).displayName).toBe('employee-7');
  });

  it('cuts a long id to a display name between characters, and falls back to the user name for an invisible one', () => {
    expect(profileOf({ subject: '😀'.repeat(100) }).displayName).toBe('😀'.repeat(64));
    expect(profileOf({ subject: '\u200b' }).displayName).toBe(externalUsername(userId));
  });

  it.each([
    ['javascript:alert(1)'],
    ['data:text/html,x'],
    ['/relative.png'],
    ['not a url'],
    [''],
    [`https://img.example/${'x'.repeat(2_100)}`],
    [`https://img.example/${'ü'.repeat(1_000)}`],
    [7],
    [undefined],
  ])('has no picture when it is not a web address of bounded length: %s', (picture) => {
    expect(profileOf({ picture }).avatarUrl).toBeNull();
  });
});
