import { hkdfSync } from 'node:crypto';

/** A key of 32 bytes for one purpose, so that what is signed for one is worth nothing for another. */
export function derivedKey(secret: string, purpose: 'refresh-token' | 'cursor' | 'media-link'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `parley ${purpose}`, 32));
}
