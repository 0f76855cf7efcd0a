import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';
import { linkedMessage } from '../../media/linked-media.js';
import { MediaLinks } from '../../media/media-links.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { noSuchMessage } from '../message-changes.js';
import { GetSentMessage } from './get-sent-message.query.js';

@QueryHandler(GetSentMessage)
export class GetSentMessageHandler implements IQueryHandler<GetSentMessage> {
  constructor(
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /**
   * Does not ask whether the sender still belongs to the conversation: one that is removed between its send and the
   * answer would be told `not_found` of a message that is there (found by the no-loss run).
   * @throws DomainError `not_found` unless it is a message of this user
   */
  async execute({ userId, conversationId, messageId }: GetSentMessage): Promise<Message> {
    const [message] = await this.store.find(conversationId, [messageId]);
    if (!message || message.senderId !== userId) throw noSuchMessage();
    return linkedMessage(message, userId, this.links);
  }
}
