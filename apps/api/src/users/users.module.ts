import { Module } from '@nestjs/common';
import { AvatarChoice, USER_HANDLERS } from '@parley/domain';
import { BlocksController } from './blocks.controller.js';
import { ContactsController } from './contacts.controller.js';
import { UsersController } from './users.controller.js';

/** Profiles, search, contacts and blocks. Needs the global CqrsModule and the adapters behind the users' ports. */
@Module({
  controllers: [UsersController, ContactsController, BlocksController],
  providers: [AvatarChoice, ...USER_HANDLERS],
})
export class UsersModule {}
