import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type HistoryQuery, HistoryQuerySchema, MessagePageSchema } from '@parley/contracts';
import { GetHistory, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';
import { JSON_TYPE, messagePageJson } from './message-page-json.js';

@Controller('v1/conversations')
export class GetHistoryController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  // The hottest read: its text is put together from messages that were encoded once, and sent as it is.
  @Get(':conversationId/messages')
  @Header('content-type', JSON_TYPE)
  @Operation({
    tag: 'Messages',
    summary: 'A page of messages',
    description:
      'Newest first; with `after`, oldest first. One of `cursor`, `before`, `after` and `around`; `around=first_unread` starts where the caller has not read.',
    answers: [{ status: 200, description: 'Messages from the join of the caller on', schema: MessagePageSchema }],
    refusals: ['not_found'],
  })
  async getHistory(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Query({ schema: HistoryQuerySchema }) query: HistoryQuery,
  ): Promise<Buffer> {
    return messagePageJson(await this.queries.execute(new GetHistory(caller.userId, conversationId, query)));
  }
}
