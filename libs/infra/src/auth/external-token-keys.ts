import { createSecretKey, type KeyObject } from 'node:crypto';
import { DomainError } from '@parley/domain';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyOptions } from 'jose';
import type { AuthConfig } from './auth-config.js';

const SECRET_ALGORITHMS = ['HS256'];
const PUBLIC_KEY_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const JWKS_TIMEOUT_MS = 2_000;
/** A token with a key id that nobody knows makes us ask for the keys at most this often. */
const JWKS_COOLDOWN_MS = 30_000;
const RETRY_AFTER_MS = 2_000;

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/**
 * The keys of the other system. Which of them is tried follows from the token's algorithm, and each kind takes its own
 * algorithms only: a public key never serves as an HS256 secret. Nothing in the token can name a place to fetch keys from.
 */
export class ExternalTokenKeys {
  private readonly secret: KeyObject | null;
  private readonly remote: RemoteKeys | null;
  private readonly expected: JWTVerifyOptions;

  constructor(config: AuthConfig) {
    this.secret = config.externalSecret === undefined ? null : createSecretKey(Buffer.from(config.externalSecret));
    this.remote =
      config.externalJwksUrl === undefined
        ? null
        : createRemoteJWKSet(new URL(config.externalJwksUrl), {
            timeoutDuration: JWKS_TIMEOUT_MS,
            cooldownDuration: JWKS_COOLDOWN_MS,
          });
    this.expected = {
      requiredClaims: ['sub', 'exp'],
      ...(config.externalIssuer === undefined ? {} : { issuer: config.externalIssuer }),
      ...(config.externalAudience === undefined ? {} : { audience: config.externalAudience }),
    };
  }

  /**
   * The claims of a token whose signature, times, issuer and audience are right; null when no configured key is for its
   * algorithm.
   * @throws JOSEError for a token that is not right; DomainError `store_unavailable` when the keys cannot be fetched.
   */
  async verify(token: string, algorithm: string): Promise<JWTPayload | null> {
    if (this.secret && SECRET_ALGORITHMS.includes(algorithm)) {
      return (await jwtVerify(token, this.secret, { ...this.expected, algorithms: SECRET_ALGORITHMS })).payload;
    }
    if (this.remote && PUBLIC_KEY_ALGORITHMS.includes(algorithm)) return this.verifyRemote(token, this.remote);
    return null;
  }

  private async verifyRemote(token: string, remote: RemoteKeys): Promise<JWTPayload> {
    const options = { ...this.expected, algorithms: PUBLIC_KEY_ALGORITHMS };
    try {
      return (await jwtVerify(token, remote, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyByAny(token, error, options);
      const tokenIsWrong =
        error instanceof errors.JOSEError &&
        !(error instanceof errors.JWKSTimeout) &&
        !(error instanceof errors.JWKSInvalid) &&
        // What the library throws when the answer was no 200 or no JSON.
        error.code !== 'ERR_JOSE_GENERIC';
      if (tokenIsWrong) throw error;
      throw new DomainError('store_unavailable', 'The keys of the token issuer cannot be fetched', {
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
  }
}

/** A token without a key id may be signed by any of several keys. */
async function verifyByAny(
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
