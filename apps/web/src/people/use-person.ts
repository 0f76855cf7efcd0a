import type { User } from '@parley/sdk';
import { useSyncExternalStore } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** What is known of a user; undefined until it is. */
export function usePerson(userId: string): User | undefined {
  const { people } = useSignedIn();
  return useSyncExternalStore(people.subscribe, () => people.find(userId));
}

/** The name to show for a user; empty until it is known. */
export function usePersonName(userId: string): string {
  const { people } = useSignedIn();
  return useSyncExternalStore(people.subscribe, () => people.nameOf(userId) ?? '');
}
