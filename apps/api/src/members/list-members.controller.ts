import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Member, MemberListSchema, type Page, type PageQuery, PageQuerySchema } from '@parley/contracts';
import { ListMembers, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class ListMembersController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':conversationId/members')
  @Operation({
    tag: 'Conversations',
    summary: 'The members of a conversation',
    answers: [{ status: 200, description: 'A page of members', schema: MemberListSchema }],
    refusals: ['not_found'],
  })
  listMembers(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Query({ schema: PageQuerySchema }) query: PageQuery,
  ): Promise<Page<Member>> {
    return this.queries.execute(new ListMembers(caller.userId, conversationId, query));
  }
}
