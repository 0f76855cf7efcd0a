import { ECDH } from 'node:crypto';

/**
 * What is wrong with the public key of a Web Push subscription in the form of the contract, or null. Nothing could ever
 * be encrypted for one that is no point of the curve. The schema does not say it, since browsers have nothing that would.
 */
export function pushKeyProblem(p256dh: string): string | null {
  try {
    ECDH.convertKey(p256dh, 'prime256v1', 'base64url');
    return null;
  } catch {
    return 'Not a point of P-256';
  }
}
