import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Conversation, Page } from '@parley/contracts';
import { type ConversationPlace, ConversationReader } from '../../ports/conversation-reader.port.js';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { ListConversations } from './list-conversations.query.js';

@QueryHandler(ListConversations)
export class ListConversationsHandler implements IQueryHandler<ListConversations> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /** @throws DomainError `validation_failed` for a cursor of another user, list or filter */
  async execute({ userId, query }: ListConversations): Promise<Page<Conversation>> {
    const archived = query.archived ?? null;
    const list = `conversations:${archived}`;
    let after: ConversationPlace | null = null;
    if (query.cursor !== undefined) {
      const [lastActivityAt, conversationId] = this.cursors.open(userId, list, query.cursor) as [string, string];
      after = { lastActivityAt, conversationId };
    }
    const found = await this.conversations.list(userId, { archived, after, limit: query.limit + 1 });
    const items = found.slice(0, query.limit);
    const last = found.length > query.limit ? items.at(-1) : undefined;
    return {
      items,
      nextCursor: last ? this.cursors.seal(userId, list, [last.lastActivityAt, last.conversationId]) : null,
    };
  }
}
