import type { ParleyClient, Presence } from '@parley/sdk';
import { useMemo, useSyncExternalStore } from 'react';
import { useParley } from './provider.js';

/** By user id; without those of whom nothing is known yet. */
type Presences = ReadonlyMap<string, Presence>;

const NOTHING: Presences = new Map();

/** Who of some users is online, live. However many components ask for the same user, the server is asked once. */
export function usePresence(userIds: readonly string[]): Presences {
  const { client } = useParley();
  // The caller may make the array anew each time.
  const key = userIds.join();
  const source = useMemo(() => presenceSource(client, key === '' ? [] : key.split(',')), [client, key]);
  return useSyncExternalStore(source.subscribe, source.read, source.read);
}

function presenceSource(client: ParleyClient | null, userIds: readonly string[]) {
  let presences = NOTHING;
  return {
    read: () => presences,
    subscribe: (changed: () => void): (() => void) => {
      if (!client || userIds.length === 0) return () => {};
      return client.watchPresence(userIds, (known) => {
        presences = known.length === 0 ? NOTHING : new Map(known.map((presence) => [presence.userId, presence]));
        changed();
      });
    },
  };
}
