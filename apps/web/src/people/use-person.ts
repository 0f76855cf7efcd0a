import type { User } from '@parley/sdk';
import { useSyncExternalStore } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** What is known of a user; undefined until it is. @param isAsked false waits for others to ask for it */
export function usePerson(userId: string, isAsked = true): User | undefined {
  const { people } = useSignedIn();
  return useSyncExternalStore(people.subscribe, () => (isAsked ? people.find(userId) : people.known(userId)));
}

/** The name to show for a user; empty until it is known. */
export function usePersonName(userId: string): string {
  const { people } = useSignedIn();
  return useSyncExternalStore(people.subscribe, () => people.nameOf(userId) ?? '');
}
