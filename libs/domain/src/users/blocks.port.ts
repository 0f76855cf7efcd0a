import type { ListAddition, ListedUser } from './contacts.port.js';

export interface BlockChange {
  blockerId: string;
  blockedId: string;
  blocked: boolean;
}

/** Who has blocked whom. */
export abstract class Blocks {
  abstract block(blockerId: string, blockedId: string): Promise<ListAddition>;
  /** Unblocking whom one has not blocked changes nothing. */
  abstract unblock(blockerId: string, blockedId: string): Promise<void>;
  /** Whom the user has blocked, newest first; the first `limit` below `before`. */
  abstract list(blockerId: string, before: string | null, limit: number): Promise<ListedUser[]>;
  /** Those of the candidates who have blocked this user. */
  abstract blockersOf(userId: string, candidates: readonly string[]): Promise<Set<string>>;
  /**
   * Called in this process after a change was stored and before `block` or `unblock` resolves, so that a cache can drop
   * what it knows. Changes that another process makes are not reported. Returns the way to stop it.
   */
  abstract onBlocksChanged(listener: (change: BlockChange) => void): () => void;
}
