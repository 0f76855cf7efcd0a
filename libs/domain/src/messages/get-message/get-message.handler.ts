import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { linkedMessage } from '../../media/linked-media.js';
import { MediaLinks } from '../../media/media-links.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { requireMessage, requireView } from '../visible-message.js';
import { GetMessage } from './get-message.query.js';

@QueryHandler(GetMessage)
export class GetMessageHandler implements IQueryHandler<GetMessage> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /** @throws DomainError `not_found` */
  async execute({ userId, conversationId, messageId }: GetMessage): Promise<Message> {
    const view = await requireView(this.conversations, conversationId, userId);
    const message = await requireMessage(this.store, conversationId, view, messageId);
    return linkedMessage(message, userId, this.links);
  }
}
