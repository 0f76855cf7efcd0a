import { Body, Controller, Inject, Post, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  type Conversation,
  ConversationSchema,
  type CreateConversationBody,
  CreateConversationSchema,
} from '@parley/contracts';
import { CreateConversation, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import type { FastifyReply } from 'fastify';

@Controller('v1/conversations')
export class CreateConversationController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Post()
  @Operation({
    tag: 'Conversations',
    summary: 'Start a direct conversation or a group',
    description:
      'The same pair has one direct conversation, and a repeated `clientRequestId` gives the same group: both answer 200. A group that the caller has left since is not found.',
    answers: [
      { status: 201, description: 'A new conversation', schema: ConversationSchema },
      { status: 200, description: 'The one that was there', schema: ConversationSchema },
    ],
    // not_found: the caller has left the group that it asks for again by its clientRequestId.
    refusals: ['blocked', 'not_found', 'members_limit'],
  })
  async createConversation(
    @CurrentUser() caller: Principal,
    @Body({ schema: CreateConversationSchema }) body: CreateConversationBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Conversation> {
    const { conversation, created } = await this.commands.execute(new CreateConversation(actorOf(caller), body));
    void reply.code(created ? 201 : 200);
    return conversation;
  }
}
