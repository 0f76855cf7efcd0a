import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ExternalProfile, SessionRevocations, type UserDirectory } from '@parley/domain';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenVerifierContract } from '../../../domain/src/accounts/token-verifier.port.contract.js';
import type { AuthConfig } from './auth-config.js';
import { JoseTokenIssuer } from './jose-token-issuer.js';
import { externalUserId, JoseTokenVerifier } from './jose-token-verifier.js';

const OWN = 'the secret of this server, long enough';
const OTHER = 'the secret of another system, long enough';
const own = { jwtSecret: OWN, accessTokenSeconds: 900, refreshTokenDays: 30 } satisfies AuthConfig;

class Revocations extends SessionRevocations {
  private readonly ids = new Set<string>();
  override isRevoked = (sessionId: string) => this.ids.has(sessionId);
  override announce = (sessionIds: readonly string[]) => sessionIds.forEach((id) => this.ids.add(id));
  override onRevoked = () => () => {};
}

function make(config: Partial<AuthConfig> = {}) {
  const made = new Map<string, ExternalProfile>();
  let asked = 0;
  const users = {
    ensureExternal: (userId: string, profile: ExternalProfile) => {
      asked++;
      made.set(userId, profile);
      return Promise.resolve();
    },
  } as unknown as UserDirectory;
  const revocations = new Revocations();
  const verifier = new JoseTokenVerifier({ ...own, ...config }, revocations, users);
  return { verifier, revocations, made, asked: () => asked };
}

tokenVerifierContract('jose', () => {
  const { verifier, revocations } = make();
  const issuer = (accessTokenSeconds: number) => new JoseTokenIssuer({ ...own, accessTokenSeconds });
  return { verifier, revocations, issuer };
});

const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;
const claims = (change: JWTPayload = {}): JWTPayload => ({ sub: 'employee-7', exp: inAnHour(), ...change });
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signed by hand, so that header and claims can be anything. */
function hs256(payload: unknown, secret: string | Buffer, header: object = {}): string {
  const text = `${base64url({ alg: 'HS256', typ: 'JWT', ...header })}.${base64url(payload)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const refused = (code = 'unauthenticated') => ({ code });

describe('tokens of this server', () => {
  it('name a session and a user, or are refused', async () => {
    const { verifier } = make();
    const [sub, sid, iat, exp] = [randomUUID(), randomUUID(), 1, inAnHour()];
    await expect(verifier.verify(hs256({ sub, sid, iat, exp }, OWN))).resolves.toMatchObject({ userId: sub });
    const wrong = [
      { sub, iat, exp },
      { sid, iat, exp },
      { sub, sid, iat },
      { sub, sid: 'x', iat, exp },
      { sub: 7, sid, iat, exp },
    ];
    for (const payload of [...wrong, { sub, sid, iat, exp: 'soon' }, null, 7, [], { sub, sid, iat, exp: null }]) {
      await expect(verifier.verify(hs256(payload, OWN))).rejects.toMatchObject(refused());
    }
  });

  it('are refused without a signature, with `none`, with another algorithm of the same secret, with critical headers', async () => {
    const { verifier } = make({ externalSecret: OTHER });
    const payload = { sub: randomUUID(), sid: randomUUID(), iat: 1, exp: inAnHour() };
    const none = `${base64url({ alg: 'none' })}.${base64url(payload)}.`;
    const hs512 = await new SignJWT(payload).setProtectedHeader({ alg: 'HS512' }).sign(Buffer.from(OWN.repeat(2)));
    const [head, body] = hs256(payload, OWN).split('.');
    const critical = hs256(payload, OWN, { crit: ['x'], x: 1 });
    for (const token of [none, hs512, `${head}.${body}.`, `${head}.${body}`, critical]) {
      await expect(verifier.verify(token)).rejects.toMatchObject(refused());
    }
  });
});

describe('tokens of another system, by a secret', () => {
  it('make their user at first sight, once, with a UUIDv5 of issuer and subject', async () => {
    const { verifier, made, asked } = make({ externalSecret: OTHER });
    const principal = await verifier.verify(hs256(claims({ iss: 'id', name: 'Ada' }), OTHER));
    const userId = externalUserId('id', 'employee-7');
    expect(principal).toMatchObject({ userId, sessionId: null, external: true });
    expect(userId[14]).toBe('5');
    expect(made.get(userId)).toMatchObject({ displayName: 'Ada' });
    await verifier.verify(hs256(claims({ iss: 'id', jti: 'another token' }), OTHER));
    expect(asked()).toBe(1);
    expect(new Set([userId, externalUserId('id2', 'employee-7'), externalUserId('id', 'employee-8')]).size).toBe(3);
  });

  it('are refused unless they are configured, and when the secret is another', async () => {
    await expect(make().verifier.verify(hs256(claims(), OTHER))).rejects.toMatchObject(refused());
    const { verifier } = make({ externalSecret: OTHER });
    await expect(verifier.verify(hs256(claims(), `${OTHER}!`))).rejects.toMatchObject(refused());
  });

  it('are refused when they have run out, or are not for now, without an expiry, or without a user', async () => {
    const { verifier } = make({ externalSecret: OTHER });
    await expect(verifier.verify(hs256(claims({ exp: 1 }), OTHER))).rejects.toMatchObject(refused('token_expired'));
    const wrong: object[] = [{ sub: 'a' }, { exp: inAnHour() }, claims({ nbf: inAnHour() }), claims({ sub: '' })];
    const odd = [{ sub: 7 }, { sub: ['a'] }, { sub: 'x'.repeat(129) }, { sub: '\ud800' }, { iss: 7 }, { iss: ['a'] }];
    for (const payload of [...wrong, ...odd.map((change) => ({ ...claims(), ...change }))]) {
      await expect(verifier.verify(hs256(payload, OTHER))).rejects.toMatchObject(refused());
    }
  });

  it('take subjects of 1 to 128 characters, whatever these are', async () => {
    const { verifier } = make({ externalSecret: OTHER });
    for (const sub of ['a', '😀'.repeat(128), '../../etc', 'a\0b']) {
      await expect(verifier.verify(hs256(claims({ sub }), OTHER))).resolves.toMatchObject({ external: true });
    }
  });

  it('are refused for another issuer or audience than the configured ones', async () => {
    const config = { externalSecret: OTHER, externalIssuer: 'https://id.example', externalAudience: 'chat' };
    const { verifier } = make(config);
    const right = claims({ iss: 'https://id.example', aud: ['web', 'chat'] });
    await expect(verifier.verify(hs256(right, OTHER))).resolves.toMatchObject({ external: true });
    for (const change of [{ iss: 'https://id.example/' }, { iss: undefined }, { aud: 'web' }, { aud: undefined }]) {
      await expect(verifier.verify(hs256({ ...right, ...change }, OTHER))).rejects.toMatchObject(refused());
    }
  });

  it('never become a session of this server, whatever they claim', async () => {
    const { verifier } = make({ externalSecret: OTHER });
    const token = hs256(claims({ sub: randomUUID(), sid: randomUUID(), iat: 1 }), OTHER);
    await expect(verifier.verify(token)).resolves.toMatchObject({ external: true, sessionId: null });
  });

  it('may last as long as they like without breaking a date', async () => {
    const { verifier } = make({ externalSecret: OTHER });
    const { expiresAt } = await verifier.verify(hs256(claims({ exp: 1e15 }), OTHER));
    expect(Number.isNaN(new Date(expiresAt).getTime())).toBe(false);
  });

  it('need a secret of 32 characters that is not this server’s own', () => {
    expect(() => make({ externalSecret: 'x'.repeat(31) })).toThrow(/at least 32/);
    expect(() => make({ externalSecret: OWN })).toThrow(/must differ/);
  });
});

describe('tokens of another system, by a key set', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const rsa2 = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  let server: Server;
  let url: string;
  let keys: object[];
  let requests: string[];
  let status = 200;

  beforeAll(async () => {
    const publicKeys = { rsa, rsa2, ec, ed };
    keys = await Promise.all(
      Object.entries(publicKeys).map(async ([kid, pair]) => ({ ...(await exportJWK(pair.publicKey)), kid })),
    );
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys }));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const signed = (alg: string, key: KeyObject, header: object = {}, payload = claims()) =>
    new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(key);
  const byKeySet = () => make({ externalJwksUrl: `${url}/keys` }).verifier;

  it('are taken with RS256, ES256 and EdDSA, and the keys are fetched once', async () => {
    const verifier = byKeySet();
    const before = requests.length;
    for (const [alg, pair, kid] of [
      ['RS256', rsa, 'rsa'],
      ['ES256', ec, 'ec'],
      ['EdDSA', ed, 'ed'],
    ] as const) {
      await expect(verifier.verify(await signed(alg, pair.privateKey, { kid }))).resolves.toMatchObject({
        external: true,
      });
    }
    expect(requests.length - before).toBe(1);
  });

  it('are taken without a key id when any key of the kind fits, and refused when none does', async () => {
    const verifier = byKeySet();
    await expect(verifier.verify(await signed('RS256', rsa2.privateKey))).resolves.toMatchObject({ external: true });
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    await expect(verifier.verify(await signed('RS256', stranger.privateKey))).rejects.toMatchObject(refused());
  });

  it('are refused with other algorithms of the same keys', async () => {
    const verifier = byKeySet();
    for (const alg of ['RS512', 'PS256']) {
      const token = await signed(alg, rsa.privateKey, { kid: 'rsa' });
      await expect(verifier.verify(token)).rejects.toMatchObject(refused());
    }
  });

  it('are refused when a public key was used as a secret', async () => {
    const { verifier } = make({ externalJwksUrl: `${url}/keys`, externalSecret: OTHER });
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    for (const secret of [pem, pem.toString().trim(), JSON.stringify(keys[0])]) {
      for (const header of [{ kid: 'rsa' }, {}]) {
        await expect(verifier.verify(hs256(claims(), secret, header))).rejects.toMatchObject(refused());
      }
    }
  });

  it('cannot say where their keys are', async () => {
    const verifier = byKeySet();
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const jwk = await exportJWK(stranger.publicKey);
    const before = requests.length;
    for (const header of [
      { jku: `${url}/evil` },
      { x5u: `${url}/evil` },
      { jwk },
      { kid: `${url}/evil` },
      { kid: '../../x' },
    ]) {
      const token = await signed('RS256', stranger.privateKey, header);
      await expect(verifier.verify(token)).rejects.toMatchObject(refused());
    }
    expect(requests.slice(before).filter((path) => path !== '/keys')).toEqual([]);
  });

  it('are refused with an unknown key id, without asking for the keys each time', async () => {
    const verifier = byKeySet();
    const before = requests.length;
    for (let i = 0; i < 20; i++) {
      const token = await signed('RS256', rsa.privateKey, { kid: `k${i}` });
      await expect(verifier.verify(token)).rejects.toMatchObject(refused());
    }
    expect(requests.length - before).toBeLessThanOrEqual(2);
  });

  it('are answered `store_unavailable` while the keys cannot be fetched, and taken afterwards', async () => {
    const verifier = byKeySet();
    const token = await signed('RS256', rsa.privateKey, { kid: 'rsa' });
    status = 500;
    await expect(verifier.verify(token)).rejects.toMatchObject(refused('store_unavailable'));
    status = 200;
    await expect(verifier.verify(token)).resolves.toMatchObject({ external: true });
    const nobody = make({ externalJwksUrl: 'http://127.0.0.1:1/keys' }).verifier;
    await expect(nobody.verify(token)).rejects.toMatchObject(refused('store_unavailable'));
  });
});
