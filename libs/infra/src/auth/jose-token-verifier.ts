import { createSecretKey, type KeyObject } from 'node:crypto';
import { TOKEN_CHARS_MAX } from '@parley/contracts';
import {
  DomainError,
  EXTERNAL_SUBJECT_CODE_POINTS_MAX,
  externalProfile,
  type Principal,
  type SessionRevocations,
  TokenVerifier,
  type UserDirectory,
} from '@parley/domain';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { v5 as uuidv5 } from 'uuid';
import { type AuthConfig, checkAuthConfig } from './auth-config.js';
import { ExternalTokenKeys } from './external-token-keys.js';

const CACHE_CHARS_MAX = 32_000_000;
const CACHE_ENTRY_OVERHEAD_CHARS = 200;
/** A token of another system is looked at again after this, so that a key that was withdrawn stops counting. */
const EXTERNAL_RECHECK_MS = 300_000;
const KNOWN_EXTERNAL_USERS_MAX = 100_000;
/** The latest time that a Date can hold: an `exp` of 1e15 must not become an invalid one. */
const TIME_MS_MAX = 8_640_000_000_000_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Under which the ids of all other systems' users are made. Never changes. */
const EXTERNAL_NAMESPACE = '6f7ad6a4-1c0e-4b53-9a3f-52f0a1f6d0c8';

interface Verified {
  principal: Principal;
  /** Until when the answer stands without looking at the token again. */
  untilMs: number;
}

/** The id that a user of another system has here. The issuer is '' for tokens that name none. */
export function externalUserId(issuer: string, subject: string): string {
  return uuidv5(subject, uuidv5(issuer, EXTERNAL_NAMESPACE));
}

export class JoseTokenVerifier extends TokenVerifier {
  private readonly ownKey: KeyObject;
  private readonly external: ExternalTokenKeys;
  private readonly verified = new LRUCache<string, Verified>({
    maxSize: CACHE_CHARS_MAX,
    sizeCalculation: (_, token) => token.length + CACHE_ENTRY_OVERHEAD_CHARS,
  });
  private readonly knownExternals = new LRUCache<string, true>({ max: KNOWN_EXTERNAL_USERS_MAX });

  /** @throws Error with a sentence when the configuration cannot be right. */
  constructor(
    config: AuthConfig,
    private readonly revocations: SessionRevocations,
    private readonly users: UserDirectory,
  ) {
    super();
    checkAuthConfig(config);
    this.ownKey = createSecretKey(Buffer.from(config.jwtSecret));
    this.external = new ExternalTokenKeys(config);
  }

  override verifyCached(token: string): Principal | null {
    const known = this.verified.get(token);
    if (!known) return null;
    if (known.untilMs <= Date.now()) {
      this.verified.delete(token);
      return null;
    }
    const { sessionId } = known.principal;
    return sessionId !== null && this.revocations.isRevoked(sessionId) ? null : known.principal;
  }

  override async verify(token: string): Promise<Principal> {
    const cached = this.verifyCached(token);
    if (cached) return cached;
    const principal = await this.verifyAfresh(token);
    if (principal.sessionId !== null && this.revocations.isRevoked(principal.sessionId)) {
      throw new DomainError('session_revoked');
    }
    const untilMs = principal.external
      ? Math.min(principal.expiresAt, Date.now() + EXTERNAL_RECHECK_MS)
      : principal.expiresAt;
    this.verified.set(token, { principal, untilMs });
    return principal;
  }

  private async verifyAfresh(token: string): Promise<Principal> {
    if (token.length > TOKEN_CHARS_MAX) throw new DomainError('unauthenticated', 'The token is too long');
    try {
      const algorithm = algorithmOf(token);
      const own = algorithm === 'HS256' ? await this.verifyOwn(token) : null;
      if (own) return own;
      const claims = await this.external.verify(token, algorithm);
      if (!claims) throw new DomainError('unauthenticated', 'The token is not one of ours');
      return await this.externalPrincipal(claims);
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new DomainError('token_expired');
      if (error instanceof errors.JOSEError) throw new DomainError('unauthenticated', 'The token is not valid');
      throw error;
    }
  }

  /** Null when another secret signed it. */
  private async verifyOwn(token: string): Promise<Principal | null> {
    try {
      const { payload } = await jwtVerify(token, this.ownKey, {
        algorithms: ['HS256'],
        requiredClaims: ['sub', 'sid', 'iat', 'exp'],
      });
      const { sub, sid } = payload;
      if (!isUuid(sub) || !isUuid(sid)) throw new DomainError('unauthenticated', 'The token is not valid');
      return { userId: sub, sessionId: sid, expiresAt: expiryOf(payload), external: false };
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return null;
      throw error;
    }
  }

  private async externalPrincipal(claims: JWTPayload): Promise<Principal> {
    const subject = claims.sub;
    const issuer = claims.iss ?? '';
    if (typeof subject !== 'string' || typeof issuer !== 'string' || !isSubject(subject)) {
      throw new DomainError('unauthenticated', 'The token names no user');
    }
    const userId = externalUserId(issuer, subject);
    if (!this.knownExternals.has(userId)) {
      const { name, picture } = claims as { name?: unknown; picture?: unknown };
      await this.users.ensureExternal(userId, externalProfile(userId, { issuer, subject, name, picture }));
      this.knownExternals.set(userId, true);
    }
    return { userId, sessionId: null, expiresAt: expiryOf(claims), external: true };
  }
}

/** What the token says it is signed by; '' for text that has not the form of a token. */
function algorithmOf(token: string): string {
  try {
    return String(decodeProtectedHeader(token).alg);
  } catch {
    return '';
  }
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

function isSubject(subject: string): boolean {
  if (subject === '' || subject.length > 2 * EXTERNAL_SUBJECT_CODE_POINTS_MAX || !subject.isWellFormed()) return false;
  return [...subject].length <= EXTERNAL_SUBJECT_CODE_POINTS_MAX;
}

function expiryOf(claims: JWTPayload): number {
  return Math.min((claims.exp as number) * 1_000, TIME_MS_MAX);
}
