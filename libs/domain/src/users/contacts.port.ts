import type { UserRecord } from './user-record.js';

export const CONTACTS_MAX = 5_000;
export const BLOCKS_MAX = 5_000;

/** `unknown-user`: nobody has the other id. `full`: the owner has as many as one may have. */
export type ListAddition = 'added' | 'already-there' | 'unknown-user' | 'full';

/** One user of a list, and its place: later additions have greater positions. */
export interface ListedUser {
  user: UserRecord;
  position: string;
}

/** A user's own address book, newest addition first. */
export abstract class Contacts {
  abstract add(ownerId: string, contactId: string): Promise<ListAddition>;
  /** Removing what is not there changes nothing. */
  abstract remove(ownerId: string, contactId: string): Promise<void>;
  /** The first `limit` below `before` (null: from the newest). */
  abstract list(ownerId: string, before: string | null, limit: number): Promise<ListedUser[]>;
}
