import { SessionSchema, UserSchema, type Session } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalText, RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { handshakeRefusal } from '../clients/test-socket.js';
import { freshName, PASSWORD } from '../clients/test-user.js';
import { sorted } from '../clients/sorted.js';

let app: TestApp;
let anyone: RestClient;
beforeAll(async () => {
  app = await TestApp.start({ AUTH_ACCESS_TOKEN_SECONDS: '600' });
  anyone = new RestClient(app.url);
});
afterAll(() => app.stop());

const deviceId = '7b1f6c1e-3f55-4e0a-9d43-2f8f2f7f5a01';
const signup = (change: object = {}) => ({ username: freshName(), password: PASSWORD, displayName: 'Ada', ...change });
const logOut = ({ accessToken, refreshToken }: Session) =>
  new RestClient(app.url, accessToken).wantEmpty(204, 'POST', '/v1/auth/logout', { refreshToken });
const refused = (path: string, body: unknown) => anyone.refusal('POST', `/v1/auth/${path}`, body);

describe('signing up', () => {
  it('gives a session with the user, two tokens and the seconds the first one lasts', async () => {
    const body = signup({ displayName: ' Ada Lovelace 👩🏽‍💻' });
    const answer = await anyone.call('POST', '/v1/auth/signup', { body });
    expect(answer.status).toBe(201);
    const session = SessionSchema.parse(answer.json);
    expect(sorted(Object.keys(session))).toEqual(['accessToken', 'expiresIn', 'refreshToken', 'user']);
    expect(session.expiresIn).toBe(600);
    expect(session.user).toMatchObject({ username: body.username, displayName: body.displayName, avatarUrl: null });
    expect(session.user.statusText).toBeNull();
    expect(session.user.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(session.user.userId).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.text).not.toContain(PASSWORD);
  });

  it('refuses a name that is taken', async () => {
    const body = signup();
    await anyone.want(201, SessionSchema, 'POST', '/v1/auth/signup', body);
    expect(await refused('signup', { ...body, password: 'another password' })).toBe('409 conflict');
  });

  it('gives a name to one of ten who ask for it at once', async () => {
    const body = signup();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => anyone.call('POST', '/v1/auth/signup', { body })),
    );
    expect(sorted(answers.map(({ status }) => status))).toEqual([201, ...Array<number>(9).fill(409)]);
  });

  it.each([
    ['ab', '400 validation_failed username'],
    ['a'.repeat(33), '400 validation_failed username'],
    ['Ada', '400 validation_failed username'],
    ['ada lovelace', '400 validation_failed username'],
    ['ada\n', '400 validation_failed username'],
    ['ädä', '400 validation_failed username'],
    ['', '400 validation_failed username'],
    [null, '400 validation_failed username:invalid_type'],
    [['ada'], '400 validation_failed username:invalid_type'],
    [undefined, '400 validation_failed username:required'],
  ])('refuses the name %j', async (username, refusal) => {
    expect(await refused('signup', signup({ username }))).toContain(refusal);
  });

  it.each(['a-b', '...', 'a_1.b-c', 'x'.repeat(28)])('takes a name of every allowed character: %s', async (name) => {
    const username = `${name}${freshName('').slice(1, 5)}`;
    expect((await anyone.want(201, SessionSchema, 'POST', '/v1/auth/signup', signup({ username }))).user.username).toBe(
      username,
    );
  });

  it.each([
    [{ password: 'x'.repeat(7) }, 'password:too_short'],
    [{ password: 'x'.repeat(129) }, 'password:too_long'],
    [{ password: 'x'.repeat(1_000_000) }, 'password:too_long'],
    [{ password: undefined }, 'password:required'],
    [{ displayName: '' }, 'displayName:empty'],
    [{ displayName: '  ​' }, 'displayName:empty'],
    [{ displayName: 'x'.repeat(65) }, 'displayName:too_long'],
    [{ displayName: 'a\0b' }, 'displayName:invalid_character'],
    [{ role: 'admin' }, 'role:unknown_field'],
    [{ userId: deviceId }, 'userId:unknown_field'],
  ])('refuses %o', async (change, code) => {
    const text = await refused('signup', signup(change));
    expect(text).toBe(`400 validation_failed ${code}`);
  });

  it.each([8, 128])('takes a password of %i characters, and 64 code points of name', async (chars) => {
    const body = signup({ password: 'p'.repeat(chars), displayName: '👍'.repeat(64) });
    const { user } = await anyone.want(201, SessionSchema, 'POST', '/v1/auth/signup', body);
    expect(user.displayName).toBe(body.displayName);
    await anyone.want(200, SessionSchema, 'POST', '/v1/auth/login', {
      username: user.username,
      password: body.password,
    });
  });
});

describe('logging in', () => {
  it('gives a session of its own, with and without a device', async () => {
    const ada = await app.user();
    const login = { username: ada.username, password: PASSWORD };
    const first = await anyone.want(200, SessionSchema, 'POST', '/v1/auth/login', login);
    const second = await anyone.want(200, SessionSchema, 'POST', '/v1/auth/login', { ...login, deviceId });
    expect(first.user.userId).toBe(ada.userId);
    expect(new Set([first.refreshToken, second.refreshToken, ada.session.refreshToken]).size).toBe(3);
    await logOut(first);
    await new RestClient(app.url, second.accessToken).want(200, UserSchema, 'GET', '/v1/users/me');
  });

  it('answers an unknown user and a wrong password alike', async () => {
    const ada = await app.user();
    const wrong = await anyone.call('POST', '/v1/auth/login', {
      body: { username: ada.username, password: 'wrong one' },
    });
    const unknown = await anyone.call('POST', '/v1/auth/login', {
      body: { username: freshName(), password: 'wrong one' },
    });
    expect(refusalText(wrong)).toBe('401 invalid_credentials');
    const { requestId: _, ...problem } = wrong.json as Record<string, unknown>;
    expect(unknown.json).toEqual({ ...problem, requestId: expect.any(String) as unknown });
  });

  it.each([
    [{ password: PASSWORD }, 'username:required'],
    [{ username: 'ada', password: ['x'] }, 'password:invalid_type'],
    [{ username: 'ada', password: PASSWORD, deviceId: 'phone' }, 'deviceId:'],
    [{ username: 'ada', password: PASSWORD, admin: true }, 'admin:unknown_field'],
  ])('refuses %o', async (body, code) => {
    expect(await refused('login', body)).toContain(`400 validation_failed ${code}`);
  });
});

describe('refreshing', () => {
  it('rotates the refresh token and gives a session that works', async () => {
    const ada = await app.user();
    const { refreshToken } = ada.session;
    const session = await anyone.want(200, SessionSchema, 'POST', '/v1/auth/refresh', { refreshToken });
    expect(session.user.userId).toBe(ada.userId);
    expect(session.refreshToken).not.toBe(refreshToken);
    await new RestClient(app.url, session.accessToken).want(200, UserSchema, 'GET', '/v1/users/me');
  });

  it('revokes the whole family when a used token comes again, and closes its sockets', async () => {
    const ada = await app.user();
    const { refreshToken } = ada.session;
    const socket = await ada.connect();
    const next = await anyone.want(200, SessionSchema, 'POST', '/v1/auth/refresh', { refreshToken });
    expect(await refused('refresh', { refreshToken })).toBe('401 refresh_reused');
    expect(await socket.waitFor('closing')).toMatchObject({ code: 'session_revoked', reconnect: 'never' });
    await socket.waitForEnd();
    expect(await refused('refresh', { refreshToken: next.refreshToken })).toMatch(/^401 /);
    const rest = new RestClient(app.url, next.accessToken);
    await expect
      .poll(() => rest.call('GET', '/v1/users/me').then(({ status }) => status), { timeout: 3_000 })
      .toBe(401);
    expect(await rest.refusal('GET', '/v1/users/me')).toBe('401 session_revoked');
  });

  it('lets one of five who present the same token at once pass, and not two', async () => {
    const { refreshToken } = (await app.user()).session;
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => anyone.call('POST', '/v1/auth/refresh', { body: { refreshToken } })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(4);
  });

  it('refuses what is no refresh token, and an access token in its place', async () => {
    const ada = await app.user();
    expect(await refused('refresh', { refreshToken: 'nonsense' })).toMatch(/^401 /);
    expect(await refused('refresh', { refreshToken: ada.session.accessToken })).toMatch(/^401 /);
    expect(await refused('refresh', {})).toBe('400 validation_failed refreshToken:required');
  });
});

describe('logging out', () => {
  it('ends the session: its access token within 3 s, its refresh token, and its sockets within 2 s', async () => {
    const ada = await app.user();
    const socket = await ada.connect();
    await logOut(ada.session);
    expect(await socket.waitFor('closing', undefined, 2_000)).toMatchObject({
      code: 'session_revoked',
      reconnect: 'never',
    });
    await socket.waitForEnd();
    await expect.poll(() => ada.rest.call('GET', '/v1/users/me').then((a) => a.status), { timeout: 3_000 }).toBe(401);
    expect(await ada.rest.refusal('GET', '/v1/users/me')).toBe('401 session_revoked');
    expect(await refused('refresh', { refreshToken: ada.session.refreshToken })).toMatch(/^401 /);
    // Another gateway than the one that had the socket may hear of it a moment later.
    const handshake = (): Promise<string> => handshakeRefusal(app.url, { token: ada.session.accessToken, deviceId });
    await expect.poll(handshake, { timeout: 2_000 }).toBe('401 session_revoked');
  });

  it("leaves the same user's other sessions alone", async () => {
    const ada = await app.user();
    const login = { username: ada.username, password: PASSWORD };
    const other = await anyone.want(200, SessionSchema, 'POST', '/v1/auth/login', login);
    const socket = await ada.connect();
    await logOut(other);
    const gone = new RestClient(app.url, other.accessToken);
    await expect.poll(() => gone.call('GET', '/v1/users/me').then((a) => a.status), { timeout: 3_000 }).toBe(401);
    await ada.rest.want(200, UserSchema, 'GET', '/v1/users/me');
    await socket.ask('heartbeat', { active: true });
    expect(socket.seen('closing')).toEqual([]);
  });
});
