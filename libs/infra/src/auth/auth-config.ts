/** What authentication needs to know. Type and DI token in one; the application's configuration has these fields. */
export abstract class AuthConfig {
  /** Signs access tokens, and the keys of refresh tokens and cursors are derived from it. */
  abstract readonly jwtSecret: string;
  abstract readonly accessTokenSeconds: number;
  abstract readonly refreshTokenDays: number;
  /** Tokens that another system signs: HS256 with a secret of at least 32 characters, or a key of a JWKS. */
  abstract readonly externalSecret?: string | undefined;
  abstract readonly externalJwksUrl?: string | undefined;
  abstract readonly externalIssuer?: string | undefined;
  abstract readonly externalAudience?: string | undefined;
}

const EXTERNAL_SECRET_CHARS_MIN = 32;

/** @throws Error with a sentence for the operator. */
export function checkAuthConfig(config: AuthConfig): void {
  if (config.externalSecret === undefined) return;
  if (config.externalSecret.length < EXTERNAL_SECRET_CHARS_MIN) {
    throw new Error(`AUTH_EXTERNAL_JWT_SECRET needs at least ${EXTERNAL_SECRET_CHARS_MIN} characters`);
  }
  // Whoever holds the one could otherwise make sessions of this server's own users.
  if (config.externalSecret === config.jwtSecret) {
    throw new Error('AUTH_EXTERNAL_JWT_SECRET and AUTH_JWT_SECRET must differ');
  }
}
