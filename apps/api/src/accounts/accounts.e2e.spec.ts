import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { SessionSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AccountsDoor, EXTERNAL_SECRET, openAccountsDoor } from './accounts-door.testing.js';

let door: AccountsDoor;
beforeAll(async () => {
  door = await openAccountsDoor();
});
afterAll(() => door?.close());

const newName = () => `n${randomBytes(6).toString('hex')}`;
const signup = (change: object = {}) => ({
  username: newName(),
  password: 'correct horse',
  displayName: 'Ada',
  ...change,
});
const logIn = (username: string, password: string, address?: string) =>
  door.call('POST', '/auth/login', undefined, { username, password }, address);
const refresh = (refreshToken: string) => door.call('POST', '/auth/refresh', undefined, { refreshToken });
const me = (token: string) => door.call('GET', '/users/me', token);
const problem = (status: number, code: string) =>
  expect.objectContaining({ status, body: expect.objectContaining({ code, status }) });

function externalToken(claims: object): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${encode({ alg: 'HS256' })}.${encode({ exp: Math.floor(Date.now() / 1_000) + 600, ...claims })}`;
  return `${text}.${createHmac('sha256', EXTERNAL_SECRET).update(text).digest('base64url')}`;
}

describe('signing up', () => {
  it('answers 201 with a session whose token works', async () => {
    const body = signup();
    const answer = await door.call('POST', '/auth/signup', undefined, body);
    expect(answer.status).toBe(201);
    const session = SessionSchema.parse(answer.body);
    expect(session).toMatchObject({
      expiresIn: 900,
      user: { username: body.username, displayName: 'Ada', avatarUrl: null },
    });
    expect(answer.text).not.toContain(body.password);
    expect((await me(session.accessToken)).body).toMatchObject({ userId: session.user.userId, presenceHidden: false });
  });

  it('answers 409 for a taken name, also when ten ask at once', async () => {
    const username = newName();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => door.call('POST', '/auth/signup', undefined, signup({ username }))),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(await door.call('POST', '/auth/signup', undefined, signup({ username }))).toEqual(problem(409, 'conflict'));
  });

  it('answers 409 for a name that is kept for users of other systems', async () => {
    const username = `ext-${'0'.repeat(24)}`;
    expect(await door.call('POST', '/auth/signup', undefined, signup({ username }))).toEqual(problem(409, 'conflict'));
  });

  it('refuses what is not valid, and what nobody asked for', async () => {
    const wrong: [string, object][] = [
      ['username', { username: 'Ada' }],
      ['username', { username: 'ab' }],
      ['username', { username: ['ada'] }],
      ['password', { password: 'short' }],
      ['password', { password: 'x'.repeat(129) }],
      ['password', { password: `lone \ud800 surrogate` }],
      ['displayName', { displayName: ' \u200b ' }],
      ['displayName', { displayName: 'x'.repeat(65) }],
      ['userId', { userId: randomUUID() }],
    ];
    for (const [path, change] of wrong) {
      const answer = await door.call('POST', '/auth/signup', undefined, signup(change));
      expect(answer).toEqual(problem(400, 'validation_failed'));
      expect(answer.body['errors']).toContainEqual(expect.objectContaining({ path }));
    }
  });

  it('refuses a password of 10 MB before it costs a hash', async () => {
    const began = performance.now();
    const answer = await door.call('POST', '/auth/signup', undefined, signup({ password: 'x'.repeat(10_000_000) }));
    expect(answer).toEqual(problem(413, 'payload_too_large'));
    const megabyte = await door.call('POST', '/auth/login', undefined, {
      username: 'a',
      password: 'x'.repeat(1_000_000),
    });
    expect(megabyte).toEqual(problem(400, 'validation_failed'));
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('logging in', () => {
  it('answers 200 with a session of its own', async () => {
    const { username, password, accessToken, user } = await door.signUp();
    const answer = await logIn(username, password);
    expect(answer.status).toBe(200);
    const session = SessionSchema.parse(answer.body);
    expect(session.user).toEqual(user);
    expect(session.accessToken).not.toBe(accessToken);
    expect((await me(session.accessToken)).status).toBe(200);
  });

  it('answers alike for a wrong password and for nobody', async () => {
    const { username } = await door.signUp();
    const wrong = await logIn(username, 'wrong password', '198.51.100.1');
    const nobody = await logIn(newName(), 'wrong password', '198.51.100.1');
    expect(wrong).toEqual(problem(401, 'invalid_credentials'));
    const { requestId: _, ...wrongBody } = wrong.body;
    expect(nobody.body).toEqual({ ...wrongBody, requestId: expect.any(String) });
  });

  it('answers so for a name that nobody can have, too', async () => {
    for (const name of ['Ada', 'a\0b', '\u200b', '😀', "' OR 1=1 --", '../../etc']) {
      expect(await logIn(name, 'wrong password', '198.51.100.8')).toEqual(problem(401, 'invalid_credentials'));
    }
  });

  it('refuses the sixth failed attempt in a minute on an account from an address, also with the right password', async () => {
    const { username, password } = await door.signUp();
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await logIn(username, 'wrong password', '198.51.100.2')).toEqual(problem(401, 'invalid_credentials'));
    }
    const sixth = await logIn(username, password, '198.51.100.2');
    expect(sixth).toEqual(problem(429, 'rate_limited'));
    expect(Number(sixth.headers.get('retry-after'))).toBeGreaterThan(30);
    expect((await logIn(username, password, '198.51.100.3')).status).toBe(200);
  });

  it('does not let many attempts at once past the limit', async () => {
    const { username } = await door.signUp();
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => logIn(username, 'wrong password', '198.51.100.4')),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(25);
  });

  it('refuses the 21st failed attempt from an address, whatever the account', async () => {
    for (let attempt = 0; attempt < 20; attempt++) {
      expect((await logIn(newName(), 'wrong password', '198.51.100.5')).status).toBe(401);
    }
    expect(await logIn(newName(), 'wrong password', '198.51.100.5')).toEqual(problem(429, 'rate_limited'));
  });

  it('does not count logins that succeed', async () => {
    const { username, password } = await door.signUp();
    for (let login = 0; login < 25; login++) {
      expect((await logIn(username, password, '198.51.100.6')).status).toBe(200);
    }
  });
});

describe('refreshing', () => {
  it('gives new tokens of the same session, and the next ones work too', async () => {
    const first = await door.signUp();
    const second = SessionSchema.parse((await refresh(first.refreshToken)).body);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect((await me(second.accessToken)).status).toBe(200);
    expect((await refresh(second.refreshToken)).status).toBe(200);
  });

  it('ends the whole session when a used token comes back: its tokens count no more, at once', async () => {
    const first = await door.signUp();
    const second = (await refresh(first.refreshToken)).body as unknown as typeof first;
    expect(await refresh(first.refreshToken)).toEqual(problem(401, 'refresh_reused'));
    expect(await refresh(second.refreshToken)).toEqual(problem(401, 'session_revoked'));
    for (const token of [first.accessToken, second.accessToken]) {
      expect(await me(token)).toEqual(problem(401, 'session_revoked'));
    }
    expect((await logIn(first.username, first.password)).status).toBe(200);
  });

  it('refuses a token that has run out', async () => {
    const { refreshToken, user } = await door.signUp();
    await door.database.pool.query(`UPDATE sessions SET expires_at = now() WHERE user_id = $1`, [user.userId]);
    expect(await refresh(refreshToken)).toEqual(problem(401, 'token_expired'));
  });

  it('refuses what is no refresh token, an access token included', async () => {
    const { accessToken, refreshToken } = await door.signUp();
    for (const token of ['opaque', accessToken, `${refreshToken}x`, 'x'.repeat(8_000)]) {
      expect(await refresh(token)).toEqual(problem(401, 'unauthenticated'));
    }
    expect(await me(refreshToken)).toEqual(problem(401, 'unauthenticated'));
    expect((await refresh(refreshToken)).status).toBe(200);
  });
});

describe('logging out', () => {
  it('ends the session at once, and no other one', async () => {
    const first = await door.signUp();
    const other = (await logIn(first.username, first.password)).body as unknown as typeof first;
    const answer = await door.call('POST', '/auth/logout', first.accessToken, { refreshToken: first.refreshToken });
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect(await me(first.accessToken)).toEqual(problem(401, 'session_revoked'));
    expect(await refresh(first.refreshToken)).toEqual(problem(401, 'session_revoked'));
    expect((await me(other.accessToken)).status).toBe(200);
  });

  it('does not end the session of somebody else', async () => {
    const [mine, theirs] = [await door.signUp(), await door.signUp()];
    const body = { refreshToken: theirs.refreshToken };
    expect((await door.call('POST', '/auth/logout', mine.accessToken, body)).status).toBe(204);
    expect((await me(theirs.accessToken)).status).toBe(200);
    expect((await refresh(theirs.refreshToken)).status).toBe(200);
  });
});

describe('access tokens', () => {
  it('are needed, in their one form', async () => {
    const { accessToken } = await door.signUp();
    expect(await door.call('GET', '/users/me')).toEqual(problem(401, 'unauthenticated'));
    for (const token of ['', 'x', `${accessToken} x`, `${accessToken}x`]) {
      expect(await me(token)).toEqual(problem(401, 'unauthenticated'));
    }
  });

  it('run out', async () => {
    const brief = await openAccountsDoor({ accessTokenSeconds: 1 });
    const { accessToken, refreshToken } = await brief.signUp();
    await expect
      .poll(() => brief.call('GET', '/users/me', accessToken), { timeout: 3_000 })
      .toEqual(problem(401, 'token_expired'));
    expect((await brief.call('POST', '/auth/refresh', undefined, { refreshToken })).status).toBe(200);
    await brief.close();
  });

  it('of another system make their user, once, also when many come at once', async () => {
    const claims = { sub: `employee ${randomUUID()}`, iss: 'id', name: 'Grace', picture: 'https://img.example/g.png' };
    const tokens = Array.from({ length: 20 }, (_, jti) => externalToken({ ...claims, jti: String(jti) }));
    const answers = await Promise.all(tokens.map((token) => me(token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body['userId'])).size).toBe(1);
    const expected = { displayName: 'Grace', avatarUrl: 'https://img.example/g.png' };
    expect(answers[0]!.body).toMatchObject({ ...expected, username: expect.stringMatching(/^ext-/) });
  });

  it('of another system cannot be used to log in, and their names have no password', async () => {
    const { body } = await me(externalToken({ sub: randomUUID() }));
    expect(await logIn(String(body['username']), '', '198.51.100.7')).toEqual(problem(400, 'validation_failed'));
    expect(await logIn(String(body['username']), 'null', '198.51.100.7')).toEqual(problem(401, 'invalid_credentials'));
  });
});
