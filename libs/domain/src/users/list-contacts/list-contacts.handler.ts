import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page, User } from '@parley/contracts';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { Contacts } from '../contacts.port.js';
import { pageOfListedUsers } from '../listed-users.js';
import { ListContacts } from './list-contacts.query.js';

@QueryHandler(ListContacts)
export class ListContactsHandler implements IQueryHandler<ListContacts> {
  constructor(
    @Inject(Contacts) private readonly contacts: Contacts,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  execute({ callerId, page }: ListContacts): Promise<Page<User>> {
    const list = { ownerId: callerId, name: 'contacts' };
    return pageOfListedUsers(this.cursors, list, page, (before, limit) => this.contacts.list(callerId, before, limit));
  }
}
