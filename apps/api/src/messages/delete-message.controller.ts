import { Controller, Delete, Inject, Param } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type Message, MessageSchema } from '@parley/contracts';
import { DeleteMessage, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type MessageParams, MessageParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class DeleteMessageController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Delete(':conversationId/messages/:messageId')
  @Operation({
    tag: 'Messages',
    summary: 'Delete a message for everyone',
    description: 'Its author, or an admin of the group. It keeps its seq and loses its content.',
    answers: [{ status: 200, description: 'What is left of the message', schema: MessageSchema }],
    refusals: ['forbidden', 'not_found'],
  })
  deleteMessage(
    @CurrentUser() caller: Principal,
    @Param({ schema: MessageParamsSchema }) place: MessageParams,
  ): Promise<Message> {
    return this.commands.execute(new DeleteMessage(actorOf(caller), place));
  }
}
