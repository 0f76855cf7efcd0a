import { AddContactHandler } from './add-contact/add-contact.handler.js';
import { BlockUserHandler } from './block-user/block-user.handler.js';
import { GetMeHandler } from './get-me/get-me.handler.js';
import { GetUserHandler } from './get-user/get-user.handler.js';
import { ListBlocksHandler } from './list-blocks/list-blocks.handler.js';
import { ListContactsHandler } from './list-contacts/list-contacts.handler.js';
import { RemoveContactHandler } from './remove-contact/remove-contact.handler.js';
import { SearchUsersHandler } from './search-users/search-users.handler.js';
import { UnblockUserHandler } from './unblock-user/unblock-user.handler.js';
import { UpdateMeHandler } from './update-me/update-me.handler.js';

export * from './add-contact/add-contact.command.js';
export * from './block-user/block-user.command.js';
export * from './blocks.port.js';
export * from './contacts.port.js';
export * from './external-profile.js';
export * from './get-me/get-me.query.js';
export * from './get-user/get-user.query.js';
export * from './list-blocks/list-blocks.query.js';
export * from './list-contacts/list-contacts.query.js';
export * from './remove-contact/remove-contact.command.js';
export * from './search-key.js';
export * from './search-users/search-users.query.js';
export * from './unblock-user/unblock-user.command.js';
export * from './update-me/update-me.command.js';
export * from './user-directory.port.js';
export * from './user-record.js';

/** For the Nest module of whichever process answers these commands and queries. */
export const USER_HANDLERS = [
  GetMeHandler,
  UpdateMeHandler,
  GetUserHandler,
  SearchUsersHandler,
  AddContactHandler,
  RemoveContactHandler,
  ListContactsHandler,
  BlockUserHandler,
  UnblockUserHandler,
  ListBlocksHandler,
];
