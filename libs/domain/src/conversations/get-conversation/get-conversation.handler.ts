import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Conversation } from '@parley/contracts';
import { noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { GetConversation } from './get-conversation.query.js';

@QueryHandler(GetConversation)
export class GetConversationHandler implements IQueryHandler<GetConversation> {
  constructor(@Inject(ConversationReader) private readonly conversations: ConversationReader) {}

  /** @throws DomainError `not_found` */
  async execute({ userId, conversationId }: GetConversation): Promise<Conversation> {
    const conversation = await this.conversations.conversation(conversationId, userId);
    if (!conversation) throw noSuchConversation();
    return conversation;
  }
}
