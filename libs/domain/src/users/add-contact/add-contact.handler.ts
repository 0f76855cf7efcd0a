import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Contacts, CONTACTS_MAX } from '../contacts.port.js';
import { refuseOneself, requireListed } from '../listed-users.js';
import { AddContact } from './add-contact.command.js';

@CommandHandler(AddContact)
export class AddContactHandler implements ICommandHandler<AddContact> {
  constructor(@Inject(Contacts) private readonly contacts: Contacts) {}

  async execute({ callerId, userId }: AddContact): Promise<void> {
    refuseOneself(callerId, userId);
    requireListed(await this.contacts.add(callerId, userId), CONTACTS_MAX);
  }
}
