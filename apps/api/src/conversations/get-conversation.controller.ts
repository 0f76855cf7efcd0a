import { Controller, Get, Inject, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Conversation, ConversationSchema } from '@parley/contracts';
import { GetConversation, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class GetConversationController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':conversationId')
  @Operation({
    tag: 'Conversations',
    summary: 'One conversation as the caller sees it',
    answers: [{ status: 200, description: 'The conversation', schema: ConversationSchema }],
    refusals: ['not_found'],
  })
  getConversation(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
  ): Promise<Conversation> {
    return this.queries.execute(new GetConversation(caller.userId, conversationId));
  }
}
