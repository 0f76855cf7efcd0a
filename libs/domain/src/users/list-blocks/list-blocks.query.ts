import type { Page, PageQuery, User } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** Whom the caller has blocked, newest first. */
export class ListBlocks extends Query<Page<User>> {
  constructor(
    readonly callerId: string,
    readonly page: PageQuery,
  ) {
    super();
  }
}
