import { Body, Controller, Inject, Param, Patch } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { EditMessageBodySchema, type Message, MessageSchema } from '@parley/contracts';
import { EditMessage, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type MessageParams, MessageParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class EditMessageController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Patch(':conversationId/messages/:messageId')
  @Operation({
    tag: 'Messages',
    summary: "Change the text of one's own message",
    answers: [{ status: 200, description: 'The message as it is now', schema: MessageSchema }],
    refusals: ['forbidden', 'not_found', 'conflict'],
  })
  editMessage(
    @CurrentUser() caller: Principal,
    @Param({ schema: MessageParamsSchema }) place: MessageParams,
    @Body({ schema: EditMessageBodySchema }) { content }: { content: string },
  ): Promise<Message> {
    return this.commands.execute(new EditMessage(actorOf(caller), { ...place, content }));
  }
}
