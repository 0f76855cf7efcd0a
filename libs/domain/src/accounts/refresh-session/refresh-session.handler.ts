import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Session } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { AccountStore, type RotationResult } from '../account-store.port.js';
import { SessionRevocations } from '../session-revocations.port.js';
import { sessionAnswer } from '../start-session.js';
import { TokenIssuer } from '../token-issuer.port.js';
import { RefreshSession } from './refresh-session.command.js';

const REFUSALS: Record<Exclude<RotationResult['outcome'], 'rotated'>, () => DomainError> = {
  reused: () => new DomainError('refresh_reused'),
  revoked: () => new DomainError('session_revoked'),
  expired: () => new DomainError('token_expired', 'The refresh token has run out'),
  unknown: () => new DomainError('unauthenticated', 'Not a valid refresh token'),
};

@CommandHandler(RefreshSession)
export class RefreshSessionHandler implements ICommandHandler<RefreshSession> {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(TokenIssuer) private readonly tokens: TokenIssuer,
    @Inject(SessionRevocations) private readonly revocations: SessionRevocations,
  ) {}

  async execute({ refreshToken }: RefreshSession): Promise<Session> {
    const presented = this.tokens.readRefreshToken(refreshToken);
    if (!presented) throw REFUSALS.unknown();
    const { sessionId, hash, authentic } = presented;
    const next = this.tokens.newRefreshToken(sessionId);
    const result = await this.accounts.rotate({
      sessionId,
      presentedHash: hash,
      authentic,
      nextHash: next.hash,
      refreshSeconds: this.tokens.refreshTokenSeconds,
      accessSeconds: this.tokens.accessTokenSeconds,
    });
    if (result.outcome === 'rotated') {
      return sessionAnswer(this.tokens, result.user, { sessionId, deviceId: result.deviceId }, next.token);
    }
    if (result.outcome === 'reused') this.revocations.announce([sessionId]);
    throw REFUSALS[result.outcome]();
  }
}
