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

/** Users whose user name or display name begins so; the last answer stays until the next one is there. */
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
  return { people: found.people, isSearching: found.wanted !== wanted };
}
