import { hash } from 'node:crypto';
import { invalidField } from '../../errors/domain-error.js';
import type { ChangePosition } from '../../ports/conversation-reader.port.js';

const CHECK_CHARS = 12;

/**
 * A position as a client keeps it between its calls: bound to its user by a checksum. It opens nothing but the user's
 * own changes, so it needs no secret; and without one it outlives the server's: in a new database it counts as none,
 * instead of being refused.
 */
export function sealPosition(userId: string, position: ChangePosition): string {
  const body = Buffer.from(position).toString('base64url');
  return checkOf(userId, position) + body;
}

/** @throws DomainError `validation_failed` unless it was sealed for this user */
export function openPosition(userId: string, since: string): ChangePosition {
  const position = Buffer.from(since.slice(CHECK_CHARS), 'base64url').toString();
  if (since !== sealPosition(userId, position)) {
    throw invalidField('since', 'invalid_position', 'Not the syncedAt of an answer to this user');
  }
  return position;
}

function checkOf(userId: string, position: string): string {
  return hash('sha256', JSON.stringify(['sync position', userId, position]), 'base64url').slice(0, CHECK_CHARS);
}
