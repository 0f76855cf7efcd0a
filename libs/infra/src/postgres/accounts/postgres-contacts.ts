import { Contacts, CONTACTS_MAX, type ListAddition, type ListedUser } from '@parley/domain';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';
import { ContactEntity } from './contact.entity.js';
import { addToUserList, listUsers, type UserListTable } from './user-list-rows.js';

const TABLE: UserListTable = { name: 'contacts', owner: 'owner_id', listed: 'contact_id', max: CONTACTS_MAX };

export class PostgresContacts extends Contacts {
  constructor(private readonly database: Database) {
    super();
  }

  override add(ownerId: string, contactId: string): Promise<ListAddition> {
    return storeAnswer(() => addToUserList(this.database.pool, TABLE, ownerId, contactId));
  }

  override async remove(ownerId: string, contactId: string): Promise<void> {
    await storeAnswer(() => this.database.dataSource.getRepository(ContactEntity).delete({ ownerId, contactId }));
  }

  override list(ownerId: string, before: string | null, limit: number): Promise<ListedUser[]> {
    return storeAnswer(() => listUsers(this.database.pool, TABLE, ownerId, before, limit));
  }
}
