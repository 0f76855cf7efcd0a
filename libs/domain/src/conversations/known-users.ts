import { invalidField } from '../errors/domain-error.js';
import type { UserDirectory } from '../users/user-directory.port.js';

/** @throws DomainError `validation_failed` when one of them does not exist; it does not tell which. */
export async function requireUsers(users: UserDirectory, path: string, userIds: readonly string[]): Promise<void> {
  if (userIds.length === 0) return;
  const existing = await users.existing(userIds);
  if (!userIds.every((userId) => existing.has(userId))) {
    throw invalidField(path, 'unknown_user', 'Not all of these users exist');
  }
}
