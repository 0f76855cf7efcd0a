import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Contacts } from '../contacts.port.js';
import { RemoveContact } from './remove-contact.command.js';

@CommandHandler(RemoveContact)
export class RemoveContactHandler implements ICommandHandler<RemoveContact> {
  constructor(@Inject(Contacts) private readonly contacts: Contacts) {}

  async execute({ callerId, userId }: RemoveContact): Promise<void> {
    await this.contacts.remove(callerId, userId);
  }
}
