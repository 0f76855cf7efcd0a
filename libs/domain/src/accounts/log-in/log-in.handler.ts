import { Inject, Optional } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Session, UsernameSchema } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { DoorMetrics, type RateLimitName } from '../../ports/door-metrics.port.js';
import { type RateLimit, RateLimiter } from '../../ports/rate-limiter.port.js';
import { AccountStore, type Credentials } from '../account-store.port.js';
import { addressKey } from '../client-address.js';
import { LoginLimits } from '../login-limits.js';
import { PasswordHasher } from '../password-hasher.port.js';
import { sessionAnswer, startSession } from '../start-session.js';
import { TokenIssuer } from '../token-issuer.port.js';
import { LogIn } from './log-in.command.js';

interface Counter {
  name: RateLimitName;
  key: string;
  rate: RateLimit;
}

@CommandHandler(LogIn)
export class LogInHandler implements ICommandHandler<LogIn> {
  constructor(
    @Inject(AccountStore) private readonly accounts: AccountStore,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(TokenIssuer) private readonly tokens: TokenIssuer,
    @Inject(RateLimiter) private readonly limiter: RateLimiter,
    @Inject(LoginLimits) private readonly limits: LoginLimits,
    @Optional() @Inject(DoorMetrics) private readonly metrics?: DoorMetrics,
  ) {}

  async execute({ login, clientAddress }: LogIn): Promise<Session> {
    const counters = this.countersOf(login.username, clientAddress);
    await this.countAttempt(counters);
    let credentials: Credentials | null;
    try {
      credentials = await this.findCredentials(login.username);
      const right = await this.passwords.verify(login.password, credentials?.passwordHash ?? null);
      if (!right) credentials = null;
    } catch (error) {
      // Neither right nor wrong: the store or the hasher could not tell.
      await this.giveBack(counters);
      throw error;
    }
    if (!credentials) throw new DomainError('invalid_credentials');
    await this.giveBack(counters);
    const { session, refreshToken } = startSession(this.tokens, login.deviceId ?? null);
    await this.accounts.createSession(credentials.user.userId, session);
    return sessionAnswer(this.tokens, credentials.user, session, refreshToken);
  }

  // Any text may be tried as a name; one that nobody can have is not asked for (a store need not even be able to hold it).
  private async findCredentials(username: string): Promise<Credentials | null> {
    return UsernameSchema.safeParse(username).success ? this.accounts.findCredentials(username) : null;
  }

  private countersOf(username: string, clientAddress: string): Counter[] {
    const address = addressKey(clientAddress);
    const { perAccountAndAddress, perAddress } = this.limits;
    return [
      { name: 'failed_logins_per_account', key: `login:${address}:${username}`, rate: perAccountAndAddress },
      { name: 'failed_logins_per_address', key: `login:${address}`, rate: perAddress },
    ];
  }

  // Counted before the password is looked at and given back when it was right: a hundred attempts at once would
  // otherwise all pass a count that none of them has raised yet.
  private async countAttempt(counters: Counter[]): Promise<void> {
    const taken: Counter[] = [];
    for (const counter of counters) {
      const { allowed, retryAfterMs } = await this.limiter.take(counter.key, 1, counter.rate);
      if (!allowed) {
        await this.giveBack(taken);
        this.metrics?.rateLimited(counter.name);
        throw new DomainError('rate_limited', 'Too many failed logins', { retryAfterMs });
      }
      taken.push(counter);
    }
  }

  private async giveBack(counters: Counter[]): Promise<void> {
    for (const { key, rate } of counters) await this.limiter.giveBack(key, 1, rate);
  }
}
