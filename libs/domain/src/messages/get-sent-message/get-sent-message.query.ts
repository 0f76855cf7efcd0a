import { Query } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';

/** The message that a send of this user made, for the send's own answer. */
export class GetSentMessage extends Query<Message> {
  constructor(
    readonly userId: string,
    readonly conversationId: string,
    readonly messageId: string,
  ) {
    super();
  }
}
