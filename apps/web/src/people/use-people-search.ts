import { LIMITS, type User } from '@parley/sdk';
import { useEffect, useState } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** Nobody wants to be searched for at each keystroke. */
const SEARCH_DELAY_MS = 200;

interface Found {
  readonly wanted: string;
  readonly people: readonly User[];
  readonly hasFailed: boolean;
}

/** What is said where `hasFailed`. */
export const SEARCH_FAILED = 'People cannot be searched for now: the server cannot be reached.';

export interface PeopleSearch {
  readonly people: readonly User[];
  readonly isSearching: boolean;
  /** The server could not be asked: that nobody is here says nothing. */
  readonly hasFailed: boolean;
}

const NOBODY: Found = { wanted: '', people: [], hasFailed: false };

/**
 * Users whose user name or display name begins so. Until the next answer is there, those of the last one stay who are
 * found by what is wanted now as well.
 */
export function usePeopleSearch(wanted: string): PeopleSearch {
  const { client, people: directory } = useSignedIn();
  const [found, setFound] = useState<Found>(NOBODY);
  useEffect(() => {
    if (wanted === '') return setFound(NOBODY);
    let isCurrent = true;
    const take = (people: readonly User[], hasFailed = false): void => {
      if (isCurrent) setFound({ wanted, people, hasFailed });
    };
    const timer = setTimeout(() => {
      client.searchUsers([...wanted].slice(0, LIMITS.userSearchCharacters).join('')).then(
        ({ items }) => {
          directory.learn(...items);
          take(items);
        },
        () => take([], true),
      );
    }, SEARCH_DELAY_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [client, directory, wanted]);
  const isSearching = found.wanted !== wanted;
  const hasFailed = found.hasFailed && !isSearching;
  return {
    people: isSearching ? found.people.filter((user) => beginsWith(user, wanted)) : found.people,
    isSearching,
    hasFailed,
  };
}

function beginsWith({ username, displayName }: User, wanted: string): boolean {
  const start = wanted.toLocaleLowerCase();
  return [username, displayName].some((name) => name.toLocaleLowerCase().startsWith(start));
}
