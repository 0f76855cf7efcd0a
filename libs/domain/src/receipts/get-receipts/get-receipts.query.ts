import { Query } from '@nestjs/cqrs';
import type { Page, PageQuery, Receipt } from '@parley/contracts';

/** When each member but the sender received and read a message, in the order of their ids. */
export class GetReceipts extends Query<Page<Receipt>> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly messageId: string,
    readonly query: PageQuery,
  ) {
    super();
  }
}
