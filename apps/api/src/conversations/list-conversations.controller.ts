import { Controller, Get, Inject, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import {
  type Conversation,
  ConversationListSchema,
  type ListConversationsQuery,
  ListConversationsQuerySchema,
  type Page,
} from '@parley/contracts';
import { ListConversations, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';

@Controller('v1/conversations')
export class ListConversationsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get()
  @Operation({
    tag: 'Conversations',
    summary: "The caller's conversations, newest activity first",
    answers: [{ status: 200, description: 'A page of conversations', schema: ConversationListSchema }],
  })
  listConversations(
    @CurrentUser() caller: Principal,
    @Query({ schema: ListConversationsQuerySchema }) query: ListConversationsQuery,
  ): Promise<Page<Conversation>> {
    return this.queries.execute(new ListConversations(caller.userId, query));
  }
}
