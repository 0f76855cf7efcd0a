import { beforeEach, describe, expect, it } from 'vitest';
import { connect, logIn, logOut, memoryStore, resume, signUp, type ParleyStore } from './index.js';
import type { Fetch } from './rest.js';
import { VirtualClock } from './testing/virtual-clock.js';
import { readSession } from './tokens.js';

const USER = { username: 'ada', displayName: 'Ada', avatarUrl: null, statusText: null, createdAt: '' };
const url = 'http://server';

let store: ParleyStore;
let asked: string[];
let faults: unknown[];
beforeEach(() => {
  store = memoryStore();
  asked = [];
  faults = [];
});

/** A server on which everybody can sign in, and which nobody can connect to. */
const fetch: Fetch = async (address, { body }) => {
  const path = address.slice(url.length);
  asked.push(path);
  const user = { ...USER, userId: `of ${body?.includes('bob') ? 'bob' : 'ada'}` };
  const session = { accessToken: 'access', refreshToken: `refresh ${user.userId}`, expiresIn: 900, user };
  const isThere = path.startsWith('/v1/auth');
  return {
    ok: isThere,
    status: isThere ? 200 : 503,
    headers: { get: () => null },
    text: async () => JSON.stringify(session),
  };
};
const options = () => ({
  url,
  store,
  fetch,
  clock: new VirtualClock(),
  random: () => 1,
  onFault: (fault: unknown) => faults.push(fault),
});
const signedIn = (username: string) => logIn({ ...options(), username, password: 'correct horse battery' });

describe('a log-out', () => {
  it('empties the store of the client, also when it is not named again', async () => {
    const client = await signedIn('ada');
    await client.close();
    const again = (await resume(options()))!;
    expect((await store.keys('')).length).toBeGreaterThan(0);
    expect(await logOut(again, { url, fetch })).toBe(true);
    expect(await store.keys('')).toEqual(['device']);
    expect(asked.at(-1)).toBe('/v1/auth/logout');
  });

  it('leaves the session of somebody who has signed in on this device since', async () => {
    const adas = await signedIn('ada');
    const bobs = await signedIn('bob');
    await logOut(adas, options());
    expect((await readSession(store))?.user.userId).toBe('of bob');
    const client = await resume(options());
    expect(client?.userId).toBe('of bob');
    await Promise.all([bobs.close(), client?.close()]);
  });

  it('ends the session at the server though the store fails, and says that something may be left', async () => {
    const client = await signedIn('ada');
    const broken = (): Promise<never> => Promise.reject(new Error('the disk is broken'));
    store.get = store.keys = store.delete = broken;
    await expect(logOut(client, options())).rejects.toMatchObject({ name: 'ParleyError', code: 'store_failed' });
    expect(client.connectionState.status).toBe('closed');
    expect(asked.at(-1)).toBe('/v1/auth/logout');
  });
});

describe('a start with what was kept', () => {
  it('has nobody to go on as when that cannot be read, and says when the store fails', async () => {
    for (const text of ['', '{"accessToken":"acc', '{}', 'null']) {
      await store.set('session', text);
      expect(await resume(options())).toBeNull();
    }
    store.get = () => Promise.reject(new Error('the disk is broken'));
    await expect(resume(options())).rejects.toMatchObject({ name: 'ParleyError', code: 'store_failed' });
  });
});

describe('a url that is none', () => {
  it('is refused at once, by whatever makes a client', async () => {
    for (const address of [undefined, '', 'server:3000', 'ws://server', '/v1']) {
      const wrong = { ...options(), url: address as string };
      const person = { ...wrong, username: 'ada', password: 'correct horse battery', displayName: 'Ada' };
      const problem = { name: 'ParleyError', code: 'validation_failed', retryable: false };
      await expect(connect({ ...wrong, token: 'token' })).rejects.toMatchObject(problem);
      await expect(logIn(person)).rejects.toMatchObject(problem);
      await expect(signUp(person)).rejects.toMatchObject(problem);
    }
    expect(asked).toEqual([]);
  });
});
