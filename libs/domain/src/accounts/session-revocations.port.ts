/**
 * The sessions that ended before their last access token did. Known in this process at once when it ended here, and
 * within about a second when it ended elsewhere.
 */
export abstract class SessionRevocations {
  abstract isRevoked(sessionId: string): boolean;
  /** Says that these have ended; for whoever just stored that. */
  abstract announce(sessionIds: readonly string[]): void;
  /** Called once for each session that ends, with those that are news to this process. Returns the way to stop it. */
  abstract onRevoked(listener: (sessionIds: readonly string[]) => void): () => void;
}
