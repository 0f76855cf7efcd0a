import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { SubscribeMessage } from '@nestjs/websockets';
import { SetTyping } from '@parley/domain';
import { EventDoor, type ClientEvent } from '../event-door.js';

@EventDoor()
export class TypingGateway {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @SubscribeMessage('typing')
  typing(_client: unknown, { connection, payload }: ClientEvent<'typing'>): Promise<void> {
    return this.commands.execute(new SetTyping(connection.actor, payload));
  }
}
