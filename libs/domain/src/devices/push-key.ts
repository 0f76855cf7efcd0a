import { ECDH } from 'node:crypto';

/**
 * What is wrong with the public key of a Web Push subscription in the form of the contract, or null. Nothing could ever be encrypted for
 * a key that is no point of the curve, and only this side can tell: in a browser there is nothing that says it at once.
 */
export function pushKeyProblem(p256dh: string): string | null {
  try {
    ECDH.convertKey(p256dh, 'prime256v1', 'base64url');
    return null;
  } catch {
    return 'Not a point of P-256';
  }
}
