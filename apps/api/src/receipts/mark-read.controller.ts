import { Body, Controller, Inject, Param, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MarkReadBodySchema, type ReadMark, ReadMarkSchema } from '@parley/contracts';
import { MarkRead, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class MarkReadController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Put(':conversationId/read')
  @Operation({
    tag: 'Receipts',
    summary: 'Mark a conversation as read up to a message',
    description: 'The mark moves forward only: an older message changes nothing.',
    answers: [{ status: 200, description: 'The mark as it is now', schema: ReadMarkSchema }],
    refusals: ['not_found'],
  })
  markRead(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Body({ schema: MarkReadBodySchema }) { lastReadMessageId }: { lastReadMessageId: string },
  ): Promise<ReadMark> {
    return this.commands.execute(new MarkRead(actorOf(caller), { conversationId, lastReadMessageId }));
  }
}
