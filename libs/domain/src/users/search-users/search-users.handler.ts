import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page, User } from '@parley/contracts';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { searchKey } from '../search-key.js';
import { type SearchPosition, UserDirectory } from '../user-directory.port.js';
import { toUser } from '../user-record.js';
import { SearchUsers } from './search-users.query.js';

@QueryHandler(SearchUsers)
export class SearchUsersHandler implements IQueryHandler<SearchUsers> {
  constructor(
    @Inject(UserDirectory) private readonly users: UserDirectory,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  async execute({ callerId, query }: SearchUsers): Promise<Page<User>> {
    const list = `users:${searchKey(query.search)}`;
    let after: SearchPosition | null = null;
    if (query.cursor !== undefined) {
      const [by, key, userId] = this.cursors.open(callerId, list, query.cursor) as [
        SearchPosition['by'],
        string,
        string,
      ];
      after = { by, key, userId };
    }
    const hits = await this.users.search(query.search, after, query.limit + 1);
    const shown = hits.slice(0, query.limit);
    const last = hits.length > query.limit ? shown.at(-1)?.position : undefined;
    return {
      items: shown.map(({ user }) => toUser(user)),
      nextCursor: last ? this.cursors.seal(callerId, list, [last.by, last.key, last.userId]) : null,
    };
  }
}
