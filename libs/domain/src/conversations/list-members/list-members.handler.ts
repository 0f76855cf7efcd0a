import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Member, Page } from '@parley/contracts';
import { noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader, type MemberPlace } from '../../ports/conversation-reader.port.js';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { ListMembers } from './list-members.query.js';

@QueryHandler(ListMembers)
export class ListMembersHandler implements IQueryHandler<ListMembers> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /** @throws DomainError `not_found`, `validation_failed` for a cursor of another user or conversation */
  async execute({ userId, conversationId, query }: ListMembers): Promise<Page<Member>> {
    const list = `members:${conversationId}`;
    let after: MemberPlace | null = null;
    if (query.cursor !== undefined) {
      const [joinedAt, memberId] = this.cursors.open(userId, list, query.cursor) as [string, string];
      after = { joinedAt, userId: memberId };
    }
    const found = await this.conversations.members(conversationId, userId, { after, limit: query.limit + 1 });
    if (!found) throw noSuchConversation();
    const items = found.slice(0, query.limit);
    const last = found.length > query.limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? this.cursors.seal(userId, list, [last.joinedAt, last.userId]) : null };
  }
}
