import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { SubscribeMessage } from '@nestjs/websockets';
import type { ReadMark } from '@parley/contracts';
import { AcknowledgeDelivery, MarkRead } from '@parley/domain';
import { EventDoor, type ClientEvent } from '../event-door.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { RecentMessages } from '../live/recent-messages.js';

@EventDoor()
export class ReceiptsGateway {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(RecentMessages) private readonly recent: RecentMessages,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  @SubscribeMessage('ack')
  async ack(_client: unknown, { connection, payload }: ClientEvent<'ack'>): Promise<object> {
    const known = this.recent.sentTo(connection, payload);
    const place = await this.commands.execute(new AcknowledgeDelivery(connection.actor, payload, known));
    connection.deliveries.acked(place.conversationId, place.seq, this.settings.now());
    return {};
  }

  @SubscribeMessage('read_receipt')
  read(_client: unknown, { connection, payload }: ClientEvent<'read_receipt'>): Promise<ReadMark> {
    return this.commands.execute(new MarkRead(connection.actor, payload));
  }
}
