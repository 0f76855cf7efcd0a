import { randomUUID } from 'node:crypto';
import type { Session } from '@parley/contracts';
import { toUser, type UserRecord } from '../users/user-record.js';
import type { NewSession } from './account-store.port.js';
import type { TokenIssuer } from './token-issuer.port.js';

export interface StartedSession {
  session: NewSession;
  refreshToken: string;
}

/** A session that is not stored yet, with the refresh token that only its client will know. */
export function startSession(issuer: TokenIssuer, deviceId: string | null): StartedSession {
  const sessionId = randomUUID();
  const refresh = issuer.newRefreshToken(sessionId);
  const { refreshTokenSeconds: refreshSeconds, accessTokenSeconds: accessSeconds } = issuer;
  return {
    session: { sessionId, deviceId, refreshHash: refresh.hash, refreshSeconds, accessSeconds },
    refreshToken: refresh.token,
  };
}

/** What the client gets of a stored session. */
export async function sessionAnswer(
  issuer: TokenIssuer,
  user: UserRecord,
  session: { sessionId: string; deviceId: string | null },
  refreshToken: string,
): Promise<Session> {
  const access = await issuer.issueAccess({ userId: user.userId, ...session });
  return {
    user: toUser(user),
    accessToken: access.accessToken,
    refreshToken,
    expiresIn: access.expiresInSeconds,
  };
}
