import { Query } from '@nestjs/cqrs';
import type { Conversation } from '@parley/contracts';

/** One conversation as this user sees it. */
export class GetConversation extends Query<Conversation> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
  ) {
    super();
  }
}
