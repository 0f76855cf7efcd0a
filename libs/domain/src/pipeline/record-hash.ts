import { hash } from 'node:crypto';

/** SHA-256 of a record's payload, base64url. Kept with the progress: a log that grew again after a loss gives another. */
export function recordHash(payload: string): string {
  return hash('sha256', payload, 'base64url');
}
