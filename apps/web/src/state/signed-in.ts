import type { ParleyClient } from '@parley/sdk';
import { createContext, useContext } from 'react';
import type { Drafts } from '../timeline/drafts.js';
import type { People } from '../people/people.js';

/** What every part of the page has at hand while somebody is signed in. */
export interface SignedIn {
  readonly client: ParleyClient;
  readonly people: People;
  readonly drafts: Drafts;
  readonly logOut: () => void;
}

export const SignedInContext = createContext<SignedIn | null>(null);

export function useSignedIn(): SignedIn {
  const signedIn = useContext(SignedInContext);
  if (!signedIn) throw new Error('Nobody is signed in here');
  return signedIn;
}
