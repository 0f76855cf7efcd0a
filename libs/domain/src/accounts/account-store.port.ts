import type { UserRecord } from '../users/user-record.js';

export interface NewSession {
  sessionId: string;
  deviceId: string | null;
  refreshHash: Buffer;
  /** How long the refresh token lives, and how long access tokens do that are made with it. */
  refreshSeconds: number;
  accessSeconds: number;
}

export interface NewAccount {
  userId: string;
  username: string;
  displayName: string;
  passwordHash: string;
}

export interface Credentials {
  user: UserRecord;
  /** Null for a user of another system: it cannot log in here. */
  passwordHash: string | null;
}

export interface Rotation {
  sessionId: string;
  presentedHash: Buffer;
  /** Whether this server made the presented token; only then may it end the session. */
  authentic: boolean;
  nextHash: Buffer;
  refreshSeconds: number;
  accessSeconds: number;
}

/**
 * `reused`: the token was rotated before, and the whole session has now ended. `unknown`: no such token.
 * `expired`, `revoked`: it was the latest, of a session that is over.
 */
export type RotationResult =
  | { outcome: 'rotated'; user: UserRecord; deviceId: string | null }
  | { outcome: 'reused' | 'revoked' | 'expired' | 'unknown' };

/**
 * Accounts with their passwords, and sessions. A session is one family of refresh tokens: the row keeps the hash of the
 * latest one only. Every method is one transaction.
 */
export abstract class AccountStore {
  abstract isUsernameTaken(username: string): Promise<boolean>;
  /** Makes the user with its first session; null when the name is taken, also when two ask at once. */
  abstract createAccount(account: NewAccount, session: NewSession): Promise<UserRecord | null>;
  abstract findCredentials(username: string): Promise<Credentials | null>;
  abstract createSession(userId: string, session: NewSession): Promise<void>;
  /** Swaps the session's refresh token. Of two that present the same one, at most one is `rotated`. */
  abstract rotate(rotation: Rotation): Promise<RotationResult>;
  /**
   * Ends the session if it is this user's and the token is one of its. False when there was nothing to end. Nothing is
   * pushed any more to the device that it was the last session of.
   */
  abstract revokeSession(
    userId: string,
    token: { sessionId: string; hash: Buffer; authentic: boolean },
  ): Promise<boolean>;
  /** Deletes at most `limit` sessions whose refresh token ran out more than a day ago; says how many. */
  abstract purgeExpiredSessions(limit: number): Promise<number>;
}
