import type { Page, SearchUsersQuery, User } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** Users by the beginning of their user name or display name. */
export class SearchUsers extends Query<Page<User>> {
  constructor(
    readonly callerId: string,
    readonly query: SearchUsersQuery,
  ) {
    super();
  }
}
