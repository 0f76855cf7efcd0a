import { createHash, createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type AccessGrant,
  type AccessToken,
  type NewRefreshToken,
  type PresentedRefreshToken,
  TokenIssuer,
} from '@parley/domain';
import { SignJWT } from 'jose';
import type { AuthConfig } from './auth-config.js';
import { derivedKey } from './derived-key.js';

const PREFIX = 'prt_';
const SESSION_BYTES = 16;
const RANDOM_BYTES = 32;
const MAC_BYTES = 16;
const FORM = /^prt_[A-Za-z0-9_-]{86}$/;
const DAY_SECONDS = 86_400;

/**
 * Access tokens are JWTs (HS256). A refresh token is the session's id, 32 random bytes and a keyed hash of both: the hash
 * tells a token that was rotated away from one that never was, without keeping the old ones.
 */
export class JoseTokenIssuer extends TokenIssuer {
  override readonly accessTokenSeconds: number;
  override readonly refreshTokenSeconds: number;
  private readonly signingKey: KeyObject;
  private readonly refreshKey: Buffer;

  constructor(config: Pick<AuthConfig, 'jwtSecret' | 'accessTokenSeconds' | 'refreshTokenDays'>) {
    super();
    this.accessTokenSeconds = config.accessTokenSeconds;
    this.refreshTokenSeconds = config.refreshTokenDays * DAY_SECONDS;
    this.signingKey = createSecretKey(Buffer.from(config.jwtSecret));
    this.refreshKey = derivedKey(config.jwtSecret, 'refresh-token');
  }

  override async issueAccess({ userId, sessionId, deviceId }: AccessGrant): Promise<AccessToken> {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const accessToken = await new SignJWT({ sid: sessionId, ...(deviceId === null ? {} : { did: deviceId }) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(userId)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + this.accessTokenSeconds)
      .sign(this.signingKey);
    return { accessToken, expiresInSeconds: this.accessTokenSeconds };
  }

  override newRefreshToken(sessionId: string): NewRefreshToken {
    const body = Buffer.concat([Buffer.from(sessionId.replaceAll('-', ''), 'hex'), randomBytes(RANDOM_BYTES)]);
    const token = PREFIX + Buffer.concat([body, this.mac(body)]).toString('base64url');
    return { token, hash: hashOf(token) };
  }

  override readRefreshToken(token: string): PresentedRefreshToken | null {
    if (!FORM.test(token)) return null;
    const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
    // The last character carries bits that decoding drops: one token has one form.
    if (PREFIX + bytes.toString('base64url') !== token) return null;
    const body = bytes.subarray(0, SESSION_BYTES + RANDOM_BYTES);
    const authentic = timingSafeEqual(this.mac(body), bytes.subarray(SESSION_BYTES + RANDOM_BYTES));
    return { sessionId: uuidOf(body.subarray(0, SESSION_BYTES)), hash: hashOf(token), authentic };
  }

  private mac(body: Buffer): Buffer {
    return createHmac('sha256', this.refreshKey).update(body).digest().subarray(0, MAC_BYTES);
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
