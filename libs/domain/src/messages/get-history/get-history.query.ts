import { Query } from '@nestjs/cqrs';
import type { HistoryQuery, MessagePage } from '@parley/contracts';

/** A page of messages from the user's join on. */
export class GetHistory extends Query<MessagePage> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly query: HistoryQuery,
  ) {
    super();
  }
}
