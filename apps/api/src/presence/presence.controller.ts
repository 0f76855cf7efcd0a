import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import {
  type Page,
  type Presence,
  PresenceListSchema,
  type PresenceUsers,
  PresenceUsersSchema,
} from '@parley/contracts';
import { type Principal, QueryPresence } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';

@Controller('v1/presence/query')
export class PresenceController {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @Operation({
    tag: 'Presence',
    summary: 'Who of these users is online now',
    description:
      'For large groups; what is on the screen is subscribed to with `presence_subscribe` of the socket. In the order asked for, each user once; who is not shown, or does not exist, is offline.',
    answers: [{ status: 200, description: 'The presence of each user, on one page', schema: PresenceListSchema }],
  })
  queryPresence(
    @CurrentUser() caller: Principal,
    @Body({ schema: PresenceUsersSchema }) { userIds }: PresenceUsers,
  ): Promise<Page<Presence>> {
    return this.queries.execute(new QueryPresence(caller.userId, userIds));
  }
}
