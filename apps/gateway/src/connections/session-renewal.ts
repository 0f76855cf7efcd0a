import { Inject, Injectable } from '@nestjs/common';
import { DomainError, TokenVerifier } from '@parley/domain';
import type { Connection } from './connection.js';

/** Gives an open socket a new access token, so that it outlives the one it came with. */
@Injectable()
export class SessionRenewal {
  constructor(@Inject(TokenVerifier) private readonly verifier: TokenVerifier) {}

  /** @throws DomainError `unauthenticated` for another user's token, and whatever the verifier refuses a token with */
  async renew(connection: Connection, token: string): Promise<{ expiresAt: string }> {
    const principal = this.verifier.verifyCached(token) ?? (await this.verifier.verify(token));
    if (principal.userId !== connection.userId) {
      throw new DomainError('unauthenticated', 'The token belongs to another user');
    }
    connection.principal = principal;
    connection.expiryAnnounced = false;
    return { expiresAt: new Date(principal.expiresAt).toISOString() };
  }
}
