import type { Page, PageQuery, User } from '@parley/contracts';
import { DomainError, invalidField } from '../errors/domain-error.js';
import type { CursorCodec } from '../ports/cursor-codec.port.js';
import type { ListAddition, ListedUser } from './contacts.port.js';
import { toUser } from './user-record.js';

/** A page of one of the caller's own lists of users. `read` gets the position to go on below, and how many to read. */
export async function pageOfListedUsers(
  cursors: CursorCodec,
  list: { ownerId: string; name: string },
  query: PageQuery,
  read: (before: string | null, limit: number) => Promise<ListedUser[]>,
): Promise<Page<User>> {
  const opened = query.cursor === undefined ? null : cursors.open(list.ownerId, list.name, query.cursor);
  const rows = await read(opened ? String(opened[0]) : null, query.limit + 1);
  const shown = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? shown.at(-1) : undefined;
  return {
    items: shown.map(({ user }) => toUser(user)),
    nextCursor: last ? cursors.seal(list.ownerId, list.name, [last.position]) : null,
  };
}

/** @throws DomainError `validation_failed`: nobody is their own contact or blocks themself. */
export function refuseOneself(callerId: string, userId: string): void {
  if (callerId === userId) throw invalidField('userId', 'oneself', 'This is you');
}

/** Turns what the list said into a refusal, unless the user is on the list now. */
export function requireListed(addition: ListAddition, max: number): void {
  if (addition === 'unknown-user') throw new DomainError('not_found', 'No such user');
  if (addition === 'full') throw new DomainError('conflict', `At most ${max} users`);
}
