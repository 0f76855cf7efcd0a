import type { ExternalProfile } from './external-profile.js';
import type { UserRecord } from './user-record.js';

export interface ProfileChange {
  displayName?: string | undefined;
  avatarUrl?: string | null | undefined;
  /** The medium behind `avatarUrl`, which it keeps from being collected; null for a picture from elsewhere, and for none. */
  avatarMediaId?: string | null | undefined;
  statusText?: string | null | undefined;
  presenceHidden?: boolean | undefined;
  pushPreview?: boolean | undefined;
}

/**
 * A place in the search's order: users whose user name matches come first, by user name; then those whose display name
 * alone does, by display name.
 */
export interface SearchPosition {
  by: 'username' | 'displayName';
  key: string;
  userId: string;
}

export interface SearchHit {
  user: UserRecord;
  position: SearchPosition;
}

/** Who exists, and under which names. */
export abstract class UserDirectory {
  abstract find(userId: string): Promise<UserRecord | null>;
  /** Those that exist, in no particular order, each once. */
  abstract findMany(userIds: readonly string[]): Promise<UserRecord[]>;
  /** Those of the ids that exist. */
  abstract existing(userIds: readonly string[]): Promise<Set<string>>;
  /** Null when there is no such user. */
  abstract update(userId: string, change: ProfileChange): Promise<UserRecord | null>;
  /**
   * Users whose user name or display name begins with the prefix, whatever the case; each once, the first `limit` after
   * `after`. Every character of the prefix stands for itself.
   */
  abstract search(prefix: string, after: SearchPosition | null, limit: number): Promise<SearchHit[]>;
  /** Makes a user of another system unless it is there; what it changed itself since stays. Safe to call many times at once. */
  abstract ensureExternal(userId: string, profile: ExternalProfile): Promise<void>;
}
