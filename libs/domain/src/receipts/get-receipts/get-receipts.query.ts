import { Query } from '@nestjs/cqrs';
import type { Page, Receipt } from '@parley/contracts';

/** When each member but the sender received and read a message. */
export class GetReceipts extends Query<Page<Receipt>> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly messageId: string,
  ) {
    super();
  }
}
