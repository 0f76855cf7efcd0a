import { Query } from '@nestjs/cqrs';
import type { Member, Page, PageQuery } from '@parley/contracts';

/** The members of a conversation, in the order in which they joined. */
export class ListMembers extends Query<Page<Member>> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly query: PageQuery,
  ) {
    super();
  }
}
