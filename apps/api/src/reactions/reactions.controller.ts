import { Controller, Delete, Inject, Param, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Message, MessageSchema } from '@parley/contracts';
import { type Principal, ReactToMessage } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ReactionParams, ReactionParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations/:conversationId/messages/:messageId/reactions')
export class ReactionsController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Put(':emoji')
  @Operation({
    tag: 'Messages',
    summary: 'React with an emoji',
    answers: [{ status: 200, description: 'The message with its reactions', schema: MessageSchema }],
    refusals: ['not_found', 'conflict'],
  })
  react(
    @CurrentUser() caller: Principal,
    @Param({ schema: ReactionParamsSchema }) reaction: ReactionParams,
  ): Promise<Message> {
    return this.commands.execute(new ReactToMessage(actorOf(caller), reaction, true));
  }

  @Delete(':emoji')
  @Operation({
    tag: 'Messages',
    summary: 'Take a reaction back',
    answers: [{ status: 200, description: 'The message with its reactions', schema: MessageSchema }],
    refusals: ['not_found', 'conflict'],
  })
  unreact(
    @CurrentUser() caller: Principal,
    @Param({ schema: ReactionParamsSchema }) reaction: ReactionParams,
  ): Promise<Message> {
    return this.commands.execute(new ReactToMessage(actorOf(caller), reaction, false));
  }
}
