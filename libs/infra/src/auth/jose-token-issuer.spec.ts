import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { tokenIssuerContract } from '../../../domain/src/accounts/token-issuer.port.contract.js';
import { JoseTokenIssuer } from './jose-token-issuer.js';

const make = (jwtSecret: string) => new JoseTokenIssuer({ jwtSecret, accessTokenSeconds: 900, refreshTokenDays: 30 });

tokenIssuerContract('jose', make);

describe('jose token issuer', () => {
  it('writes user, session, device and times into an access token, and nothing else', async () => {
    const grant = { userId: randomUUID(), sessionId: randomUUID(), deviceId: randomUUID() };
    const { accessToken, expiresInSeconds } = await make('a secret').issueAccess(grant);
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'HS256', typ: 'JWT' });
    const { iat, ...claims } = decodeJwt(accessToken);
    expect(claims).toEqual({ sub: grant.userId, sid: grant.sessionId, did: grant.deviceId, exp: iat! + 900 });
    expect(expiresInSeconds).toBe(900);
  });

  it('leaves the device out when there is none', async () => {
    const { accessToken } = await make('a secret').issueAccess({ userId: 'u', sessionId: 's', deviceId: null });
    expect(decodeJwt(accessToken)).not.toHaveProperty('did');
  });
});
