import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { TokenIssuer } from './token-issuer.port.js';

/** What every issuer keeps to. Two issuers of the same secret are the same issuer. */
export function tokenIssuerContract(name: string, make: (secret: string) => TokenIssuer): void {
  describe(`token issuer: ${name}`, () => {
    const issuer = make('the secret of this server, long enough');

    it('reads its own refresh tokens, also after a restart', () => {
      const sessionId = randomUUID();
      const { token, hash } = issuer.newRefreshToken(sessionId);
      expect(issuer.readRefreshToken(token)).toEqual({ sessionId, hash, authentic: true });
      const restarted = make('the secret of this server, long enough');
      expect(restarted.readRefreshToken(token)).toEqual({ sessionId, hash, authentic: true });
    });

    it('makes another refresh token each time', () => {
      const sessionId = randomUUID();
      const tokens = Array.from({ length: 50 }, () => issuer.newRefreshToken(sessionId).token);
      expect(new Set(tokens).size).toBe(50);
    });

    it('keeps only a hash that does not hold the token', () => {
      const { token, hash } = issuer.newRefreshToken(randomUUID());
      expect(hash).toHaveLength(32);
      expect(token).not.toContain(hash.toString('base64url'));
    });

    it('knows that it did not make a token: another secret, or one character changed', () => {
      const { token } = issuer.newRefreshToken(randomUUID());
      expect(make('the secret of another server, also long').readRefreshToken(token)).toMatchObject({
        authentic: false,
      });
      const at = 20;
      const changed = token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
      expect(issuer.readRefreshToken(changed)).toMatchObject({ authentic: false });
    });

    it('does not read what has not the form of one, an access token included', async () => {
      const grant = { userId: randomUUID(), sessionId: randomUUID(), deviceId: null };
      const { accessToken } = await issuer.issueAccess(grant);
      const { token } = issuer.newRefreshToken(randomUUID());
      for (const text of ['', 'opaque', accessToken, `${token}A`, token.slice(1), ` ${token}`, `${token}\n`]) {
        expect(issuer.readRefreshToken(text)).toBeNull();
      }
    });
  });
}
