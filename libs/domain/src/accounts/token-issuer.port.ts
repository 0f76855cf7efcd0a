export interface AccessGrant {
  userId: string;
  sessionId: string;
  deviceId: string | null;
}

export interface AccessToken {
  accessToken: string;
  expiresInSeconds: number;
}

/** A refresh token and what a store may keep of it. */
export interface NewRefreshToken {
  token: string;
  hash: Buffer;
}

export interface PresentedRefreshToken {
  sessionId: string;
  hash: Buffer;
  /** This server made it (under its present secret), so when it is not the session's latest, it was used before. */
  authentic: boolean;
}

/** Makes the two tokens of a session: a signed access token, and an opaque refresh token of which only a hash is kept. */
export abstract class TokenIssuer {
  abstract readonly accessTokenSeconds: number;
  abstract readonly refreshTokenSeconds: number;
  abstract issueAccess(grant: AccessGrant): Promise<AccessToken>;
  abstract newRefreshToken(sessionId: string): NewRefreshToken;
  /** Null for what has not the form of a refresh token, an access token included. */
  abstract readRefreshToken(token: string): PresentedRefreshToken | null;
}
