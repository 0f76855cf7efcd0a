import { Accounts0001 } from './0001-accounts.js';

/** In the order in which they run. A migration that was released never changes. */
export const MIGRATIONS = [Accounts0001];
