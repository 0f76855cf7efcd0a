import { usePresence as usePresences } from '@parley/react';
import type { Presence } from '@parley/sdk';
import { clockTime, dayName } from '../timeline/times.js';

/** Whether somebody is here now, kept up as long as it is shown; null until it is known, and where nobody is asked for. */
export function usePresence(userId: string | null): Presence | null {
  return usePresences(userId === null ? [] : [userId]).get(userId ?? '') ?? null;
}

/** In words, empty where there is nothing to say: whoever hides is offline without a time. */
export function presenceText(presence: Presence | null, now = Date.now()): string {
  if (!presence) return '';
  if (presence.status !== 'offline') return presence.status === 'online' ? 'online' : 'away';
  if (presence.lastSeen === null) return '';
  // Names of days and months keep their capital.
  const day = dayName(presence.lastSeen, now).replace(/^(Today|Yesterday)$/, (word) => word.toLowerCase());
  return `last seen ${day} at ${clockTime(presence.lastSeen)}`;
}

/** The dot at somebody's picture. */
export function PresenceDot({ presence }: { presence: Presence | null }) {
  if (!presence || presence.status === 'offline') return null;
  return <i className={`presence presence-${presence.status}`} />;
}
