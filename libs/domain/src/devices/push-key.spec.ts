import { createECDH } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { pushKeyProblem } from './push-key.js';

describe('the key of a subscription', () => {
  it('is a point of the curve, as browsers make it', () => {
    const ecdh = createECDH('prime256v1');
    for (let made = 0; made < 20; made++) {
      ecdh.generateKeys();
      expect(pushKeyProblem(ecdh.getPublicKey('base64url'))).toBeNull();
    }
  });

  it.each([
    ['what is off the curve', `B${'A'.repeat(86)}`],
    ['a point whose last byte was changed', changed()],
    ['a point of another curve', otherCurve()],
    ['half of one', createdKey().slice(0, 44)],
  ])('is not %s', (_what, key) => expect(pushKeyProblem(key)).toBe('Not a point of P-256'));
});

function createdKey(curve = 'prime256v1'): string {
  const ecdh = createECDH(curve);
  ecdh.generateKeys();
  return ecdh.getPublicKey('base64url');
}

function changed(): string {
  const bytes = Buffer.from(createdKey(), 'base64url');
  bytes[64] = (bytes[64] ?? 0) ^ 1;
  return bytes.toString('base64url');
}

const otherCurve = (): string => createdKey('secp256k1');
