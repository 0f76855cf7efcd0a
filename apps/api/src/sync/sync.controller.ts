import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type SyncAnswer, SyncAnswerSchema, type SyncPayload, SyncSchema } from '@parley/contracts';
import { type Principal, SyncConversations } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';

@Controller('v1/sync')
export class SyncController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Operation({
    tag: 'Sync',
    summary: 'What changed since the last time',
    description: 'The same as the event `sync` of the socket.',
    answers: [{ status: 200, description: 'Changed conversations and missed messages', schema: SyncAnswerSchema }],
  })
  sync(@CurrentUser() caller: Principal, @Body({ schema: SyncSchema }) payload: SyncPayload): Promise<SyncAnswer> {
    return this.queries.execute(new SyncConversations(caller.userId, payload));
  }
}
