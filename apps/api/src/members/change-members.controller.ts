import { Body, Controller, Inject, Param, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type ChangeMembersBody, ChangeMembersSchema, type Conversation, ConversationSchema } from '@parley/contracts';
import { ChangeMembers, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class ChangeMembersController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Put(':conversationId/members')
  @Operation({
    tag: 'Conversations',
    summary: 'Add or remove members of a group, or set their roles',
    description: 'Admins do all of it; everyone may remove themself. A group keeps at least one admin.',
    answers: [{ status: 200, description: 'The conversation with its members', schema: ConversationSchema }],
    refusals: ['forbidden', 'not_found', 'conflict', 'members_limit', 'last_admin'],
  })
  changeMembers(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Body({ schema: ChangeMembersSchema }) body: ChangeMembersBody,
  ): Promise<Conversation> {
    return this.commands.execute(new ChangeMembers(actorOf(caller), conversationId, body));
  }
}
