/** Who is calling, as a verified access token says. */
export interface Principal {
  userId: string;
  /** Null for a token that another system signed: it has no session here, and ends by its own expiry only. */
  sessionId: string | null;
  /** When the token runs out, milliseconds since the epoch. May lie years ahead (external tokens). */
  expiresAt: number;
  external: boolean;
}
