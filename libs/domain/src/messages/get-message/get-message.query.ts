import { Query } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';

/** One message that the user may see. */
export class GetMessage extends Query<Message> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly messageId: string,
  ) {
    super();
  }
}
