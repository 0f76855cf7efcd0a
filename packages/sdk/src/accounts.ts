import { ParleyClient, type ClientOptions } from './client.js';
import { systemClock } from './clock.js';
import { ParleyError, toParleyError } from './errors.js';
import { pushKey } from './push-door.js';
import { baseUrl, callRest, platformFetch, type RestCall } from './rest.js';
import { defaultStore, type ParleyStore } from './store.js';
import { forgetSession, keepSession, keptSession, readSession, SessionTokens, type KeptSession } from './tokens.js';
import type { Session } from './wire.js';

/** As for `connect`, without a token: the session is kept in the store and renewed by itself. */
export type AccountOptions = Omit<ClientOptions, 'token' | 'userId'>;

/** Makes an account and signs in. @throws ParleyError `conflict` for a name that is taken, `validation_failed` */
export function signUp(
  options: AccountOptions & { readonly username: string; readonly password: string; readonly displayName: string },
): Promise<ParleyClient> {
  const { username, password, displayName, ...account } = options;
  return enter(account, '/v1/auth/signup', { username, password, displayName });
}

/** @throws ParleyError `invalid_credentials`, `rate_limited` */
export function logIn(
  options: AccountOptions & { readonly username: string; readonly password: string },
): Promise<ParleyClient> {
  const { username, password, ...account } = options;
  return enter(account, '/v1/auth/login', { username, password });
}

/**
 * Goes on with the session that the store holds; null when there is none. It does not wait for the server.
 * @throws ParleyError `store_failed`
 */
export async function resume(options: AccountOptions): Promise<ParleyClient | null> {
  const store = options.store ?? defaultStore();
  const session = await readSession(store).catch((cause: unknown) => {
    throw storeFailed(cause);
  });
  return session && begin({ ...options, store }, session);
}

/** The tokens of each client that has a session. */
const sessions = new WeakMap<ParleyClient, SessionTokens>();

/**
 * Forgets the session and all that the client's store kept of the user, closes the client, and ends the session at the
 * server.
 * @returns whether the server was reached; if not, the session ends there when its refresh token runs out
 * @throws ParleyError `store_failed`, after all that, when the store may still keep something
 */
export async function logOut(client: ParleyClient, options: AccountOptions): Promise<boolean> {
  const { userId, store } = client;
  const failures: unknown[] = [];
  const tried = <Value>(work: Promise<Value>): Promise<Value | void> =>
    work.catch((cause: unknown) => void failures.push(cause));
  await client.close();
  await tried(forgetSession(store, userId));
  for (const prefix of [`state/${userId}`, `window/${userId}/`, `outbox/${userId}/`]) {
    for (const key of (await tried(store.keys(prefix))) ?? []) await tried(store.delete(key));
  }
  // Nobody who uses this device next is to see notifications of this user.
  await client.push.unregister().catch(() => {});
  const isReached = await endSession(sessions.get(client), options);
  await tried(store.delete(pushKey(userId)));
  // It may have been renewed for that.
  await tried(forgetSession(store, userId));
  if (failures.length > 0) throw storeFailed(failures[0]);
  return isReached;
}

async function endSession(tokens: SessionTokens | undefined, options: AccountOptions): Promise<boolean> {
  if (!tokens) return false;
  try {
    // It may have to be renewed for this, and the refresh token with it.
    const token = await tokens.token(false);
    const body = { refreshToken: tokens.refreshToken };
    await callAuth(options, 'POST', '/v1/auth/logout', { body, token });
    return true;
  } catch (cause) {
    // A session that the server knows nothing of is over too.
    return !toParleyError(cause).retryable;
  }
}

function storeFailed(cause: unknown): ParleyError {
  return new ParleyError('store_failed', String(cause));
}

async function enter(options: AccountOptions, path: string, body: object): Promise<ParleyClient> {
  const session = (await callAuth(options, 'POST', path, { body })) as Session;
  const store = options.store ?? defaultStore();
  const kept = keptSession(session, options.clock ?? systemClock);
  await keepSession(store, kept).catch((fault: unknown) => options.onFault?.(fault));
  return begin({ ...options, store }, kept);
}

async function begin(options: AccountOptions & { store: ParleyStore }, session: KeptSession): Promise<ParleyClient> {
  const refresh = async (refreshToken: string): Promise<Session> => {
    const body = { refreshToken };
    return (await callAuth(options, 'POST', '/v1/auth/refresh', { body })) as Session;
  };
  const tokens = new SessionTokens(session, options.store, options.clock ?? systemClock, refresh);
  const client = await ParleyClient.start({ ...options, tokens, userId: session.user.userId });
  sessions.set(client, tokens);
  return client;
}

function callAuth(options: AccountOptions, method: string, path: string, call: RestCall): Promise<unknown> {
  return callRest(options.fetch ?? platformFetch, baseUrl(options.url), method, path, call);
}
