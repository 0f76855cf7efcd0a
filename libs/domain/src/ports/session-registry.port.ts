/** How long a device counts as there after its last sign of life: three heartbeats. */
export const SESSION_TTL_MS = 90_000;
/** Sessions of one user that are kept; a user with more of them is as present as with these. */
export const SESSIONS_PER_USER_MAX = 100;

export type SessionStatus = 'online' | 'idle';

/** One device at one gateway, however many sockets it has there. A device may be at two gateways while it moves. */
interface DeviceAtGateway {
  userId: string;
  deviceId: string;
  gatewayId: string;
  status: SessionStatus;
  /**
   * False for a device that has just gone and may be back in a moment: it still counts for what others see of its user,
   * but nothing can be delivered to it.
   */
  connected: boolean;
  /** Since when it has been there; milliseconds since the epoch, by the gateway's clock. */
  connectedAt: number;
}

export interface SessionReport extends DeviceAtGateway {
  /** The session ends by itself after this time, unless it is reported again. With nothing left it ends at once. */
  ttlMs: number;
}

export interface DeviceSession extends DeviceAtGateway {
  /** When it ends unless its gateway reports it again, from now on. */
  expiresInMs: number;
}

/** The sessions of those users who have any. */
export type SessionsByUser = ReadonlyMap<string, readonly DeviceSession[]>;

/**
 * Who is connected where. Gateways report their devices, all that changed and all that go on, in one call for each
 * window; a gateway that crashed reports nothing any more, and its sessions end within `SESSION_TTL_MS`.
 *
 * It may forget everything (a Redis that was restarted or flushed): nothing lasting may rest on it. Reports repair it.
 */
export abstract class SessionRegistry {
  /**
   * Adds sessions, or replaces what was reported of the same user, device and gateway. Never rejects, ends in bounded
   * time; false when not all are known to be in, and then the next window's reports make up for it.
   */
  abstract put(reports: readonly SessionReport[]): Promise<boolean>;

  /**
   * The sessions of many users at once. Never rejects, ends in bounded time; null while nobody can say: then everybody
   * counts as offline, and as without a session. Asking for nobody tells cheaply which of the two it is.
   */
  abstract ofUsers(userIds: readonly string[]): Promise<SessionsByUser | null>;

  /** Called when the registry can be asked again after it could not, and may have forgotten what was reported. */
  abstract onReturn(listener: () => void): () => void;
}
