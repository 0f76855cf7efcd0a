import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserSchema } from '@parley/contracts';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { v5 as uuidv5 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { handshakeRefusal, TestSocket } from '../clients/test-socket.js';

const SECRET = 'a secret of another system, long enough';
const ISSUER = 'https://elsewhere.example';
const AUDIENCE = 'parley';
const deviceId = randomUUID();

let app: TestApp;
let keys: Server;
let rsa: CryptoKey;
let rsaPublic: { n?: string };
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  rsa = pair.privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  rsaPublic = jwk;
  keys = createServer((_, answer) =>
    answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] })),
  );
  await new Promise<void>((done) => keys.listen(0, '127.0.0.1', done));
  app = await TestApp.start({
    AUTH_EXTERNAL_JWT_SECRET: SECRET,
    AUTH_EXTERNAL_JWKS_URL: `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`,
    AUTH_EXTERNAL_ISSUER: ISSUER,
    AUTH_EXTERNAL_AUDIENCE: AUDIENCE,
  });
});
afterAll(async () => {
  await app.stop();
  keys.close();
});

const nowSeconds = (): number => Math.floor(Date.now() / 1_000);
const claims = (change: object = {}) => ({
  sub: 'user-17',
  name: 'Grace Hopper',
  iss: ISSUER,
  aud: AUDIENCE,
  exp: nowSeconds() + 600,
  ...change,
});
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function hs256(payload: object, secret: string = SECRET, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const signed = `${base64(header)}.${base64(payload)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const asking = (token: string) => new RestClient(app.url, token).refusal('GET', '/v1/users/me');
const me = (token: string) => new RestClient(app.url, token).want(200, UserSchema, 'GET', '/v1/users/me');

describe('a token that another system signed', () => {
  it('makes its user at first sight, whose id is a UUIDv5 that stays', async () => {
    const sub = `user-${randomUUID()}`;
    const first = await me(hs256(claims({ sub })));
    expect(first.displayName).toBe('Grace Hopper');
    expect(first.userId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-/);
    expect((await me(hs256(claims({ sub })))).userId).toBe(first.userId);
    expect((await me(hs256(claims({ sub: `${sub}2` })))).userId).not.toBe(first.userId);
    expect(uuidv5(sub, uuidv5.URL)).not.toBe(first.userId);
  });

  it('makes one user of twenty first requests at once', async () => {
    const token = hs256(claims({ sub: `user-${randomUUID()}` }));
    const users = await Promise.all(Array.from({ length: 20 }, () => me(token)));
    expect(new Set(users.map(({ userId }) => userId)).size).toBe(1);
  });

  it('is taken from a key of the JWKS, and by the socket', async () => {
    const token = await new SignJWT(claims({ sub: 'rsa-user' }))
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(rsa);
    const { userId } = await me(token);
    expect((await me(hs256(claims({ sub: 'rsa-user' })))).userId).toBe(userId);
    const socket = await TestSocket.connect(app.url, { token, deviceId });
    await socket.ask('heartbeat', { active: true });
    socket.close();
  });

  it('needs no name', async () => {
    const { name: _, ...nameless } = claims({ sub: 'nameless' });
    expect((await me(hs256(nameless))).displayName).not.toBe('');
  });

  it.each([
    ['of 1 character', 'x', 200],
    ['of 128 characters', 'x'.repeat(128), 200],
    ['of 129 characters', 'x'.repeat(129), 401],
    ['that is empty', '', 401],
    ['that is a number', 17, 401],
  ])('has a subject %s: %s', async (_, sub, status) => {
    const answer = await new RestClient(app.url, hs256(claims({ sub }))).call('GET', '/v1/users/me');
    expect(answer.status).toBe(status);
  });
});

describe('a token that does not hold', () => {
  const expired = () => hs256(claims({ exp: nowSeconds() - 120 }));

  it.each<[string, () => string | Promise<string>]>([
    ['is nonsense', () => 'nonsense'],
    ['has an empty signature', () => `${base64({ alg: 'HS256' })}.${base64(claims())}.`],
    ['says alg none', () => `${base64({ alg: 'none' })}.${base64(claims())}.`],
    ['says alg None', () => `${base64({ alg: 'None' })}.${base64(claims())}.`],
    ['is signed with another secret', () => hs256(claims(), 'another secret that is long enough too')],
    ['is signed by HS256 with a public key', () => hs256(claims(), rsaPublic.n, { alg: 'HS256', kid: 'one' })],
    ['says an odd kid', () => hs256(claims(), SECRET, { alg: 'RS256', kid: '../../etc/passwd' })],
    ['brings its own keys', () => hs256(claims(), 'x'.repeat(32), { alg: 'HS256', jku: 'http://127.0.0.1:1/keys' })],
    ['has another issuer', () => hs256(claims({ iss: 'https://evil.example' }))],
    ['has another audience', () => hs256(claims({ aud: 'someone-else' }))],
    ['never runs out', () => hs256({ ...claims(), exp: undefined })],
    ['is not valid yet', () => hs256(claims({ nbf: nowSeconds() + 600 }))],
    ['is 100 KB of noise', () => 'x'.repeat(10_000)],
    ['is a refresh token', async () => (await app.user()).session.refreshToken],
  ])('%s', async (_, token) => {
    expect(await asking(await token())).toBe('401 unauthenticated');
    expect(await handshakeRefusal(app.url, { token: await token(), deviceId })).toMatch(/^401 unauthenticated|^400 /);
  });

  it('has run out', async () => {
    expect(await asking(expired())).toBe('401 token_expired');
    expect(await handshakeRefusal(app.url, { token: expired(), deviceId })).toBe('401 token_expired');
  });

  it('was changed by one character', async () => {
    const { accessToken } = (await app.user()).session;
    const [header, payload, signature = ''] = accessToken.split('.');
    const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect(await asking(changed)).toBe('401 unauthenticated');
  });
});

describe('the Authorization header', () => {
  it.each([undefined, '', 'Bearer', 'Bearer ', 'Basic YTpi', 'Token x', 'Bearer a b'])('refuses %j', async (value) => {
    const headers: Record<string, string> = value === undefined ? {} : { authorization: value };
    const answer = await new RestClient(app.url).call('GET', '/v1/users/me', { headers });
    expect(answer.status).toBe(401);
    expect((answer.json as { code: string }).code).toBe('unauthenticated');
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('is needed by every route but signup, login and refresh', async () => {
    const id = randomUUID();
    const routes: [string, string][] = [
      ['GET', '/v1/users/me'],
      ['PATCH', '/v1/users/me'],
      ['GET', `/v1/users/${id}`],
      ['GET', '/v1/users?search=a'],
      ['GET', '/v1/users/me/blocks'],
      ['PUT', `/v1/users/me/blocks/${id}`],
      ['GET', '/v1/users/me/contacts'],
      ['DELETE', `/v1/users/me/contacts/${id}`],
      ['POST', '/v1/conversations'],
      ['GET', '/v1/conversations'],
      ['GET', `/v1/conversations/${id}`],
      ['PATCH', `/v1/conversations/${id}`],
      ['PUT', `/v1/conversations/${id}/members`],
      ['GET', `/v1/conversations/${id}/members`],
      ['POST', `/v1/conversations/${id}/messages`],
      ['GET', `/v1/conversations/${id}/messages`],
      ['GET', `/v1/conversations/${id}/messages/1`],
      ['PATCH', `/v1/conversations/${id}/messages/1`],
      ['DELETE', `/v1/conversations/${id}/messages/1`],
      ['PUT', `/v1/conversations/${id}/messages/1/reactions/x`],
      ['PUT', `/v1/conversations/${id}/read`],
      ['GET', `/v1/conversations/${id}/messages/1/receipts`],
      ['PUT', `/v1/conversations/${id}/settings`],
      ['POST', '/v1/sync'],
      ['GET', '/v1/connect'],
    ];
    const stranger = new RestClient(app.url);
    for (const [method, path] of routes) {
      expect(`${method} ${path} ${await stranger.refusal(method, path)}`).toBe(`${method} ${path} 401 unauthenticated`);
    }
  });
});
