import { Inject } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import type { Presences } from '@parley/contracts';
import { EventDoor, type ClientEvent } from '../event-door.js';
import { PresenceWatch } from './presence-watch.js';

@EventDoor()
export class PresenceGateway {
  constructor(@Inject(PresenceWatch) private readonly watch: PresenceWatch) {}

  @SubscribeMessage('presence_subscribe')
  async subscribe(_client: unknown, { connection, payload }: ClientEvent<'presence_subscribe'>): Promise<Presences> {
    return { presences: await this.watch.subscribe(connection, payload.userIds) };
  }

  @SubscribeMessage('presence_unsubscribe')
  unsubscribe(_client: unknown, { connection, payload }: ClientEvent<'presence_unsubscribe'>): void {
    this.watch.unsubscribe(connection, payload.userIds);
  }
}
