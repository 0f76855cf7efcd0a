import { describe, expect, it } from 'vitest';
import { makeVapidPrivateKey, vapidKeysFrom, vapidKeysOf } from './vapid-keys.js';

describe('a private key for Web Push', () => {
  it('is taken as it is made here', () => {
    for (const privateKey of [makeVapidPrivateKey(), vapidKeysFrom('a secret').privateKey]) {
      expect(vapidKeysOf(privateKey).privateKey).toBe(privateKey);
    }
  });

  it.each([
    ['words', 'not a key at all but long enough for one, ok'],
    ['base64 of another alphabet', `${'x'.repeat(41)}+/`],
    ['padding', `${'x'.repeat(43)}=`],
    ['a byte too few', 'x'.repeat(42)],
    ['no number of the curve', '_'.repeat(42) + '8'],
  ])('is refused with %s, with which no notification would ever be sent', (_, privateKey) => {
    expect(() => vapidKeysOf(privateKey)).toThrow(/43 characters|not valid for/);
  });
});
