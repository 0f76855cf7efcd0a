import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Session } from '@parley/contracts';
import { DomainError, invalidField } from '../../errors/domain-error.js';
import { isReservedUsername } from '../../users/external-profile.js';
import { AccountStore } from '../account-store.port.js';
import { PasswordHasher } from '../password-hasher.port.js';
import { sessionAnswer, startSession } from '../start-session.js';
import { TokenIssuer } from '../token-issuer.port.js';
import { SignUp } from './sign-up.command.js';

@CommandHandler(SignUp)
export class SignUpHandler implements ICommandHandler<SignUp> {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(TokenIssuer) private readonly tokens: TokenIssuer,
  ) {}

  async execute({ signup }: SignUp): Promise<Session> {
    // Lone surrogates all become the same bytes when hashed: different passwords would open one account.
    if (!signup.password.isWellFormed()) throw invalidField('password', 'invalid_unicode', 'Lone surrogates');
    const taken = new DomainError('conflict', 'This user name is taken');
    // Asked before the costly hash; the insert below decides.
    if (isReservedUsername(signup.username) || (await this.accounts.isUsernameTaken(signup.username))) throw taken;
    const passwordHash = await this.passwords.hash(signup.password);
    const { session, refreshToken } = startSession(this.tokens, null);
    const { username, displayName } = signup;
    const user = await this.accounts.createAccount(
      { userId: randomUUID(), username, displayName, passwordHash },
      session,
    );
    if (!user) throw taken;
    return sessionAnswer(this.tokens, user, session, refreshToken);
  }
}
