import { Inject } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { SubscribeMessage } from '@nestjs/websockets';
import type { Accepted, ChangedMessage, Stored } from '@parley/contracts';
import { DeleteMessage, EditMessage, ReactToMessage, SendMessage } from '@parley/domain';
import { EventDoor, type ClientEvent } from '../event-door.js';

@EventDoor()
export class MessagesGateway {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @SubscribeMessage('send_message')
  send(_client: unknown, { connection, payload }: ClientEvent<'send_message'>): Promise<Stored | Accepted> {
    return this.commands.execute(new SendMessage(connection.actor, payload));
  }

  @SubscribeMessage('edit_message')
  async edit(_client: unknown, { connection, payload }: ClientEvent<'edit_message'>): Promise<ChangedMessage> {
    return { message: await this.commands.execute(new EditMessage(connection.actor, payload)) };
  }

  @SubscribeMessage('delete_message')
  async delete(_client: unknown, { connection, payload }: ClientEvent<'delete_message'>): Promise<ChangedMessage> {
    return { message: await this.commands.execute(new DeleteMessage(connection.actor, payload)) };
  }

  @SubscribeMessage('react')
  async react(_client: unknown, { connection, payload }: ClientEvent<'react'>): Promise<ChangedMessage> {
    return { message: await this.commands.execute(new ReactToMessage(connection.actor, payload, true)) };
  }

  @SubscribeMessage('unreact')
  async unreact(_client: unknown, { connection, payload }: ClientEvent<'unreact'>): Promise<ChangedMessage> {
    return { message: await this.commands.execute(new ReactToMessage(connection.actor, payload, false)) };
  }
}
