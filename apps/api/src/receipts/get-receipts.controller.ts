import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type Page, type PageQuery, PageQuerySchema, type Receipt, ReceiptListSchema } from '@parley/contracts';
import { GetReceipts, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type MessageParams, MessageParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class GetReceiptsController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Get(':conversationId/messages/:messageId/receipts')
  @Operation({
    tag: 'Receipts',
    summary: 'Who has received and read a message',
    answers: [
      { status: 200, description: 'A page of the members but the sender; null: not yet', schema: ReceiptListSchema },
    ],
    refusals: ['not_found'],
  })
  getReceipts(
    @CurrentUser() caller: Principal,
    @Param({ schema: MessageParamsSchema }) { conversationId, messageId }: MessageParams,
    @Query({ schema: PageQuerySchema }) query: PageQuery,
  ): Promise<Page<Receipt>> {
    return this.queries.execute(new GetReceipts(caller.userId, conversationId, messageId, query));
  }
}
