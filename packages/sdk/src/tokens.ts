import { inTime, pause, systemClock, type Clock } from './clock.js';
import { ParleyError, toParleyError } from './errors.js';
import type { ParleyStore } from './store.js';
import type { Session } from './wire.js';

/** A token, or what gives one. `fresh` is true when the last one was refused or runs out. */
export type TokenOption = string | ((options: { fresh: boolean }) => Promise<string> | string);

/** An application that does not answer is asked again after so long. */
const GIVEN_WAIT_MS = 60_000;

/** Where access tokens come from. */
export interface TokenSource {
  /** @throws ParleyError; one that is not retryable says that nobody is signed in any more */
  token(fresh: boolean): Promise<string>;
}

export function tokenSource(option: TokenOption): TokenSource {
  return {
    async token(fresh) {
      if (typeof option === 'string') return option;
      const given = (async () => option({ fresh }))().catch((cause: unknown) => {
        // What the application throws says nothing about who is signed in: it is asked again later.
        throw cause instanceof ParleyError ? cause : new ParleyError('network', toParleyError(cause).message);
      });
      return inTime(systemClock, GIVEN_WAIT_MS, 'No token in time', given);
    },
  };
}

/** A session as it is kept: with the time at which its access token runs out. */
export interface KeptSession extends Session {
  readonly expiresAtMs: number;
}

const SESSION_KEY = 'session';
const LOCK = 'session-refresh';
const LOCK_WAIT_MS = 250;
const LOCK_TRIES_MAX = 80;
/** A token that lasts less than this is renewed before it is used. */
const RENEW_BEFORE_MS = 30_000;

export function keptSession(session: Session, clock: Clock): KeptSession {
  return { ...session, expiresAtMs: clock.now() + session.expiresIn * 1_000 };
}

/** Null when there is none, or nothing that can be read as one. @throws what the store throws */
export async function readSession(store: ParleyStore): Promise<KeptSession | null> {
  const text = await store.get(SESSION_KEY);
  try {
    const kept = JSON.parse(text ?? '') as KeptSession | null;
    return kept?.user ? kept : null;
  } catch {
    return null;
  }
}

/** @throws what the store throws */
export async function keepSession(store: ParleyStore, session: KeptSession): Promise<void> {
  await store.set(SESSION_KEY, JSON.stringify(session));
}

/** Unless the one that is kept is of somebody else, who has signed in since. @throws what the store throws */
export async function forgetSession(store: ParleyStore, userId: string): Promise<void> {
  if ((await readSession(store))?.user.userId === userId) await store.delete(SESSION_KEY);
}

/**
 * Tokens of the built-in accounts. A refresh token works once, and a second use ends the session for everybody: so one
 * tab refreshes at a time, and looks first whether another has done it.
 */
export class SessionTokens implements TokenSource {
  private refreshing: Promise<string> | null = null;
  /** The refresh token that the store had when this tab last saw it; not this tab's own when a store takes nothing. */
  private inStore: string;

  constructor(
    private session: KeptSession,
    private readonly store: ParleyStore,
    private readonly clock: Clock,
    private readonly refresh: (refreshToken: string) => Promise<Session>,
  ) {
    this.inStore = session.refreshToken;
  }

  get refreshToken(): string {
    return this.session.refreshToken;
  }

  async token(fresh: boolean): Promise<string> {
    const isUsable =
      this.session.expiresAtMs - this.clock.now() > Math.min(RENEW_BEFORE_MS, this.session.expiresIn * 500);
    if (!fresh && isUsable) return this.session.accessToken;
    this.refreshing ??= this.renew().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async renew(): Promise<string> {
    const release = await this.lock();
    try {
      const kept = await readSession(this.store).catch(() => null);
      if (kept && this.isSucceededBy(kept)) {
        this.session = kept;
        this.inStore = kept.refreshToken;
      } else {
        this.session = keptSession(await this.refresh(this.session.refreshToken), this.clock);
        await this.keep();
      }
      return this.session.accessToken;
    } catch (cause) {
      const error = toParleyError(cause);
      if (!error.retryable) await forgetSession(this.store, this.session.user.userId).catch(() => {});
      throw error;
    } finally {
      release();
    }
  }

  /** Whether another tab has renewed the session. Refresh tokens tell: access tokens of one second may be equal. */
  private isSucceededBy({ user, refreshToken }: KeptSession): boolean {
    return user.userId === this.session.user.userId && refreshToken !== this.inStore;
  }

  private async keep(): Promise<void> {
    try {
      await keepSession(this.store, this.session);
      this.inStore = this.session.refreshToken;
    } catch {
      // The session goes on in this tab; there is no better place for it.
    }
  }

  private async lock(): Promise<() => void> {
    for (let i = 0; i < LOCK_TRIES_MAX; i++) {
      const release = await this.store.tryLock(LOCK).catch(() => () => {});
      if (release) return release;
      await pause(this.clock, LOCK_WAIT_MS);
    }
    throw new ParleyError('timeout', 'No token in time');
  }
}
