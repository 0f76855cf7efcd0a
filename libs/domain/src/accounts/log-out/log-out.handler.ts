import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { AccountStore } from '../account-store.port.js';
import { SessionRevocations } from '../session-revocations.port.js';
import { TokenIssuer } from '../token-issuer.port.js';
import { LogOut } from './log-out.command.js';

@CommandHandler(LogOut)
export class LogOutHandler implements ICommandHandler<LogOut> {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(TokenIssuer) private readonly tokens: TokenIssuer,
    @Inject(SessionRevocations) private readonly revocations: SessionRevocations,
  ) {}

  async execute({ userId, refreshToken }: LogOut): Promise<void> {
    const presented = this.tokens.readRefreshToken(refreshToken);
    if (presented && (await this.accounts.revokeSession(userId, presented))) {
      this.revocations.announce([presented.sessionId]);
    }
  }
}
