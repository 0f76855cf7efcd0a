import { Inject } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { SubscribeMessage } from '@nestjs/websockets';
import type { SyncAnswer } from '@parley/contracts';
import { SyncConversations } from '@parley/domain';
import { EventDoor, type ClientEvent } from '../event-door.js';

@EventDoor()
export class SyncGateway {
  constructor(@Inject(QueryBus) private readonly queries: QueryBus) {}

  @SubscribeMessage('sync')
  sync(_client: unknown, { connection, payload }: ClientEvent<'sync'>): Promise<SyncAnswer> {
    return this.queries.execute(new SyncConversations(connection.userId, payload));
  }
}
