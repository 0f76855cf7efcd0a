import { Query } from '@nestjs/cqrs';
import type { Conversation, ListConversationsQuery, Page } from '@parley/contracts';

/** A user's conversations, newest activity first. */
export class ListConversations extends Query<Page<Conversation>> {
  constructor(
    readonly userId: string,
    readonly query: ListConversationsQuery,
  ) {
    super();
  }
}
