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
   * Called in this process after a change was stored and before `block` or `unblock` resolves, which waits for what the
   * listener returns, so that caches can drop what they know. A listener does not throw and ends in bounded time. Changes
   * that another process makes are not reported. Returns the way to stop it.
   */
  abstract onBlocksChanged(listener: (change: BlockChange) => void | Promise<void>): () => void;
}
