import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ParleyError } from './errors.js';
import { memoryStore, type ParleyStore } from './store.js';
import { VirtualClock } from './testing/virtual-clock.js';
import { keepSession, keptSession, readSession, SessionTokens, tokenSource } from './tokens.js';
import type { Session } from './wire.js';

const PERSON = { username: 'ada', displayName: 'Ada', avatarUrl: null, statusText: null };
const USER = { ...PERSON, userId: 'u1', createdAt: '2026-11-22T00:00:00.000Z' };

/** Renews as the server does: each refresh token works once, and tokens of one second are equal. */
class Sessions {
  private count = 0;
  private valid = 'refresh 0';
  isRevoked = false;

  constructor(private readonly clock: VirtualClock) {}

  first(): Session {
    return this.session();
  }

  refresh = async (refreshToken: string): Promise<Session> => {
    if (refreshToken !== this.valid) this.isRevoked = true;
    if (this.isRevoked) throw new ParleyError('session_revoked', 'The session has ended', { status: 401 });
    this.valid = `refresh ${++this.count}`;
    return this.session();
  };

  get renewals(): number {
    return this.count;
  }

  private session(): Session {
    const accessToken = `access of second ${Math.floor(this.clock.now() / 1_000)}`;
    return { accessToken, refreshToken: this.valid, expiresIn: 900, user: USER };
  }
}

describe('the tokens of two tabs that share one session', () => {
  let clock: VirtualClock;
  let server: Sessions;
  let store: ParleyStore;
  let tabs: SessionTokens[];

  beforeEach(async () => {
    clock = new VirtualClock();
    server = new Sessions(clock);
    store = memoryStore();
    const session = keptSession(server.first(), clock);
    await keepSession(store, session);
    tabs = [1, 2].map(() => new SessionTokens(session, store, clock, server.refresh));
  });

  const fresh = async (tab: number): Promise<string> => {
    const token = tabs[tab]!.token(true);
    await clock.advance(500);
    return token;
  };

  it('one of them renews, the other takes what that one got', async () => {
    await clock.advance(10_000);
    const both = Promise.all(tabs.map((tab) => tab.token(true)));
    await clock.advance(1_000);
    expect(new Set(await both).size).toBe(1);
    expect(server.renewals).toBe(1);
  });

  it('goes on when an access token is equal to the one before it, both made within one second', async () => {
    await fresh(0);
    await fresh(1);
    await fresh(0);
    await fresh(1);
    expect(server).toMatchObject({ isRevoked: false, renewals: 2 });
    expect(await readSession(store)).not.toBeNull();
  });

  it('does not go back to an older session when the store did not take the newest', async () => {
    store.set = () => Promise.reject(new Error('full'));
    await clock.advance(10_000);
    await fresh(0);
    await clock.advance(10_000);
    await fresh(0);
    await clock.advance(10_000);
    await fresh(0);
    expect(server).toMatchObject({ isRevoked: false, renewals: 3 });
  });

  it('does not take the session of somebody else who has signed in since', async () => {
    await clock.advance(10_000);
    const other = keptSession({ ...server.first(), refreshToken: 'of Bob', user: { ...USER, userId: 'u2' } }, clock);
    await keepSession(store, other);
    await fresh(0);
    expect(server).toMatchObject({ isRevoked: false, renewals: 1 });
  });

  it('forgets a session that the server has ended, and never the one of somebody else', async () => {
    server.isRevoked = true;
    const other = keptSession({ ...server.first(), refreshToken: 'of Bob', user: { ...USER, userId: 'u2' } }, clock);
    await keepSession(store, other);
    await expect(tabs[0]!.token(true)).rejects.toMatchObject({ code: 'session_revoked' });
    expect(await readSession(store)).toEqual(other);
    await keepSession(store, keptSession(server.first(), clock));
    await expect(tabs[0]!.token(true)).rejects.toMatchObject({ code: 'session_revoked' });
    expect(await readSession(store)).toBeNull();
  });

  it('renews its own session where what is kept cannot be read', async () => {
    for (const text of ['{"acc', 'null', '{}']) {
      await store.set('session', text);
      await clock.advance(1_000);
      await fresh(0);
    }
    expect(server).toMatchObject({ isRevoked: false, renewals: 3 });
  });
});

describe('the tokens of the application', () => {
  it('that never come are asked for again after a minute', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const late = tokenSource(() => new Promise(() => {}))
      .token(false)
      .catch((cause: unknown) => cause);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await late).toMatchObject({ code: 'timeout', retryable: true });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are none where it throws, which says nothing about who is signed in', async () => {
    const refused = { code: 'unauthenticated', status: 401, retryable: false, detail: 'not the server’s word' };
    const given = [
      () => Promise.reject(refused as never),
      () => {
        throw new TypeError('offline');
      },
    ];
    for (const give of given)
      await expect(tokenSource(give).token(true)).rejects.toMatchObject({ code: 'network', retryable: true });
    expect(await tokenSource(({ fresh }) => `fresh ${fresh}`).token(true)).toBe('fresh true');
  });
});
