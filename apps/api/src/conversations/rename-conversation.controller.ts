import { Body, Controller, Inject, Param, Patch } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Conversation, ConversationSchema, RenameConversationSchema } from '@parley/contracts';
import { type Principal, RenameConversation } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class RenameConversationController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

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
    @Body({ schema: RenameConversationSchema }) { name }: { name: string },
  ): Promise<Conversation> {
    return this.commands.execute(new RenameConversation(actorOf(caller), conversationId, name));
  }
}
