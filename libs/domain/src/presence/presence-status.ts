import type { Presence, PresenceStatus } from '@parley/contracts';
import type { DeviceSession } from '../ports/session-registry.port.js';

/** What all devices of a user say together: online beats idle, and idle beats offline. */
export function statusOf(sessions: readonly Pick<DeviceSession, 'status'>[]): PresenceStatus {
  if (sessions.length === 0) return 'offline';
  return sessions.some(({ status }) => status === 'online') ? 'online' : 'idle';
}

/** When somebody was last there is told of those only who are not. @param lastSeenAt milliseconds since the epoch */
export function presenceOf(userId: string, status: PresenceStatus, lastSeenAt: number | null): Presence {
  const lastSeen = status === 'offline' && lastSeenAt !== null ? new Date(lastSeenAt).toISOString() : null;
  return { userId, status, lastSeen };
}

/** What those see who may not see more. */
export function hiddenPresence(userId: string): Presence {
  return presenceOf(userId, 'offline', null);
}
