import { createECDH, hkdfSync } from 'node:crypto';

/** A P-256 pair as browsers and `web-push` write it: the uncompressed point and the scalar, base64url. */
export interface VapidKeys {
  publicKey: string;
  privateKey: string;
}

const CURVE = 'prime256v1';
const SCALAR_BYTES = 32;
/** Of 32 bytes, as `web-push` takes it. */
const WRITTEN_SCALAR = /^[\w-]{43}$/;
/** The order of the curve's group. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** @throws Error when it is no private key of the curve, or not written as one */
export function vapidKeysOf(privateKey: string): VapidKeys {
  // Node passes over what is no base64url, and takes fewer bytes too; with such a key every notification would fail.
  if (!WRITTEN_SCALAR.test(privateKey)) throw new Error('A private key of P-256 is 43 characters of base64url');
  const pair = createECDH(CURVE);
  pair.setPrivateKey(Buffer.from(privateKey, 'base64url'));
  return { publicKey: pair.getPublicKey('base64url', 'uncompressed'), privateKey };
}

/**
 * The same pair in every process that has the secret. For a cluster without keys of its own: browsers' subscriptions are
 * bound to the key, so it must neither differ between processes nor change when one is made anew.
 */
export function vapidKeysFrom(secret: string): VapidKeys {
  // Half as long again as a scalar, so that the remainder favours none.
  const bytes = Buffer.from(hkdfSync('sha256', secret, '', 'parley vapid key', SCALAR_BYTES * 1.5));
  const scalar = (BigInt(`0x${bytes.toString('hex')}`) % (ORDER - 1n)) + 1n;
  return vapidKeysOf(Buffer.from(scalar.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex').toString('base64url'));
}

export function makeVapidPrivateKey(): string {
  const pair = createECDH(CURVE);
  pair.generateKeys();
  return Buffer.from(pair.getPrivateKey('hex').padStart(2 * SCALAR_BYTES, '0'), 'hex').toString('base64url');
}
