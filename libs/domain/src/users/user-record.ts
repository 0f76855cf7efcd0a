import type { User } from '@parley/contracts';

/** A user as the directory keeps it. */
export interface UserRecord {
  userId: string;
  username: string;
  displayName: string;
  avatarUrl: string | null;
  statusText: string | null;
  presenceHidden: boolean;
  pushPreview: boolean;
  createdAt: Date;
}

/** What everybody may see. */
export function toUser(record: UserRecord): User {
  const { userId, username, displayName, avatarUrl, statusText, createdAt } = record;
  return { userId, username, displayName, avatarUrl, statusText, createdAt: createdAt.toISOString() };
}

/** What only the user itself sees. */
export function toOwnUser(record: UserRecord): User {
  return { ...toUser(record), presenceHidden: record.presenceHidden, pushPreview: record.pushPreview };
}
