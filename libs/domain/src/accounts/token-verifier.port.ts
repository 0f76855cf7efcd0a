import type { Principal } from './principal.js';

/**
 * Says who a bearer token is. Takes this server's own access tokens and, where configured, those of one other system,
 * whose users are made at first sight.
 */
export abstract class TokenVerifier {
  /**
   * The answer for a token that was verified before, without waiting (a few microseconds). Null when it was not, has run
   * out, or its session has ended: then `verify` says which.
   */
  abstract verifyCached(token: string): Principal | null;
  /**
   * @throws DomainError `unauthenticated`, `token_expired`, `session_revoked`; `store_unavailable` when the other
   * system's keys or the user directory cannot be reached.
   */
  abstract verify(token: string): Promise<Principal>;
}
