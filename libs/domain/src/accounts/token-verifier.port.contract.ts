import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SessionRevocations } from './session-revocations.port.js';
import type { TokenIssuer } from './token-issuer.port.js';
import type { TokenVerifier } from './token-verifier.port.js';

export interface VerifierUnderTest {
  verifier: TokenVerifier;
  /** Of the same server, with access tokens that last so long (a negative number: that ran out so long ago). */
  issuer: (accessTokenSeconds: number) => TokenIssuer;
  revocations: SessionRevocations;
}

/** What every verifier keeps to with the tokens of its own server. */
export function tokenVerifierContract(name: string, make: () => VerifierUnderTest): void {
  describe(`token verifier: ${name}`, () => {
    async function aToken(under: VerifierUnderTest, seconds = 900) {
      const grant = { userId: randomUUID(), sessionId: randomUUID(), deviceId: randomUUID() };
      return { ...grant, token: (await under.issuer(seconds).issueAccess(grant)).accessToken };
    }

    it('says who a token is, and until when', async () => {
      const under = make();
      const { token, userId, sessionId } = await aToken(under);
      const principal = await under.verifier.verify(token);
      expect(principal).toMatchObject({ userId, sessionId, external: false });
      expect(Math.abs(principal.expiresAt - Date.now() - 900_000)).toBeLessThan(2_000);
    });

    it('answers a token again without waiting, and one that it never saw not at all', async () => {
      const under = make();
      const { token } = await aToken(under);
      expect(under.verifier.verifyCached(token)).toBeNull();
      const principal = await under.verifier.verify(token);
      expect(under.verifier.verifyCached(token)).toEqual(principal);
    });

    it('answers 100,000 repeats in less than 5 µs each', async () => {
      const under = make();
      const { token } = await aToken(under);
      await under.verifier.verify(token);
      const began = performance.now();
      for (let repeat = 0; repeat < 100_000; repeat++) under.verifier.verifyCached(token);
      expect(performance.now() - began).toBeLessThan(500);
    });

    it('refuses a token of a session that ended, seen before or not', async () => {
      const under = make();
      const seen = await aToken(under);
      const unseen = await aToken(under);
      await under.verifier.verify(seen.token);
      under.revocations.announce([seen.sessionId, unseen.sessionId]);
      expect(under.verifier.verifyCached(seen.token)).toBeNull();
      await expect(under.verifier.verify(seen.token)).rejects.toMatchObject({ code: 'session_revoked' });
      await expect(under.verifier.verify(unseen.token)).rejects.toMatchObject({ code: 'session_revoked' });
    });

    it('refuses a token that has run out', async () => {
      const under = make();
      const { token } = await aToken(under, -1);
      await expect(under.verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
    });

    it('refuses what is no token, a refresh token included', async () => {
      const under = make();
      const { token } = await aToken(under);
      const { token: refreshToken } = under.issuer(900).newRefreshToken(randomUUID());
      const odd = ['', '.', '..', 'x', 'null', '{}', `${token}x`, `${token}.`, token.slice(0, -3), refreshToken];
      for (const text of [...odd, '\ud800', 'x'.repeat(9_000), `${'e30.'.repeat(2_000)}`]) {
        await expect(under.verifier.verify(text)).rejects.toMatchObject({ code: 'unauthenticated' });
      }
    });
  });
}
