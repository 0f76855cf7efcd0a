import { useSyncExternalStore } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** Who is typing, in words; empty when nobody is. */
export function useTypingText(userIds: readonly string[], isGroup: boolean): string {
  const { people } = useSignedIn();
  return useSyncExternalStore(people.subscribe, () => {
    if (userIds.length === 0) return '';
    if (!isGroup) return 'typing…';
    const names = userIds.map((userId) => people.nameOf(userId)?.split(' ')[0] ?? 'Somebody');
    if (names.length === 1) return `${names[0]} is typing…`;
    return names.length === 2 ? `${names.join(' and ')} are typing…` : `${names.length} people are typing…`;
  });
}
