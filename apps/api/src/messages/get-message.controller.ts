import { Controller, Get, Inject, Param } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Message, MessageSchema } from '@parley/contracts';
import { GetMessage, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type MessageParams, MessageParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class GetMessageController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':conversationId/messages/:messageId')
  @Operation({
    tag: 'Messages',
    summary: 'One message',
    answers: [{ status: 200, description: 'The message', schema: MessageSchema }],
    refusals: ['not_found'],
  })
  getMessage(
    @CurrentUser() caller: Principal,
    @Param({ schema: MessageParamsSchema }) { conversationId, messageId }: MessageParams,
  ): Promise<Message> {
    return this.queries.execute(new GetMessage(caller.userId, conversationId, messageId));
  }
}
