export interface SeenAt {
  userId: string;
  /** Milliseconds since the epoch. */
  at: number;
}

/** Somebody who looks, and somebody who is looked at. */
export interface PresencePair {
  viewerId: string;
  userId: string;
}

/** What is lasting about presence: when somebody was last there, and who may see whom. */
export abstract class PresenceRecords {
  /** Keeps the latest time of each user, in one write; users that do not exist are passed over. May be repeated. */
  abstract recordSeen(seen: readonly SeenAt[]): Promise<void>;
  /** Of those who were ever seen. Milliseconds since the epoch. */
  abstract lastSeen(userIds: readonly string[]): Promise<Map<string, number>>;
  /**
   * For each pair, in its place, whether the viewer sees the other: neither hides its presence, and neither has blocked
   * the other. Everybody sees themselves. Who does not exist sees nobody and is seen by nobody.
   */
  abstract canSee(pairs: readonly PresencePair[]): Promise<boolean[]>;
}
