import { Body, Controller, Inject, Param, Patch } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Conversation, ConversationSchema, RenameConversationSchema } from '@parley/contracts';
import { GetConversation, type Principal, RenameConversation } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class RenameConversationController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Patch(':conversationId')
  @Operation({
    tag: 'Conversations',
    summary: 'Name a group; its admins only',
    answers: [{ status: 200, description: 'The conversation with its new name', schema: ConversationSchema }],
    refusals: ['forbidden', 'not_found', 'conflict'],
  })
  renameConversation(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Body({ schema: RenameConversationSchema }) { name }: { name?: string | undefined },
  ): Promise<Conversation> {
    // Every field of a change may be left out; what is left is a look.
    if (name === undefined) return this.queries.execute(new GetConversation(caller.userId, conversationId));
    return this.commands.execute(new RenameConversation(actorOf(caller), conversationId, name));
  }
}
