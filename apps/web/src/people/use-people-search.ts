import type { User } from '@parley/sdk';
import { useEffect, useState } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** Nobody wants to be searched for at each keystroke. */
const SEARCH_DELAY_MS = 200;
const SEARCH_CHARS_MAX = 64;

interface Found {
  readonly wanted: string;
  readonly people: readonly User[];
}

/**
 * Users whose user name or display name begins so. Until the next answer is there, those of the last one stay who are
 * found by what is wanted now as well.
 */
export function usePeopleSearch(wanted: string): { people: readonly User[]; isSearching: boolean } {
  const { client, people: directory } = useSignedIn();
  const [found, setFound] = useState<Found>({ wanted: '', people: [] });
  useEffect(() => {
    if (wanted === '') return setFound({ wanted, people: [] });
    let isCurrent = true;
    const take = (people: readonly User[]): void => {
      if (isCurrent) setFound({ wanted, people });
    };
    const timer = setTimeout(() => {
      client.searchUsers([...wanted].slice(0, SEARCH_CHARS_MAX).join('')).then(
        ({ items }) => {
          directory.learn(...items);
          take(items);
        },
        () => take([]),
      );
    }, SEARCH_DELAY_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, directory, wanted]);
  const isSearching = found.wanted !== wanted;
  return { people: isSearching ? found.people.filter((user) => beginsWith(user, wanted)) : found.people, isSearching };
}

function beginsWith({ username, displayName }: User, wanted: string): boolean {
  const start = wanted.toLocaleLowerCase();
  return [username, displayName].some((name) => name.toLocaleLowerCase().startsWith(start));
}
