import type { Page, PageQuery, User } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** The caller's address book, newest addition first. */
export class ListContacts extends Query<Page<User>> {
  constructor(
    readonly callerId: string,
    readonly page: PageQuery,
  ) {
    super();
  }
}
