import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Page, type PageQuery, PageQuerySchema, type User, UserListSchema } from '@parley/contracts';
import { AddContact, ListContacts, type Principal, RemoveContact } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users/me/contacts')
export class ContactsController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  @Operation({
    tag: 'Users',
    summary: "The caller's contacts, newest first",
    answers: [{ status: 200, description: 'A page of users', schema: UserListSchema }],
  })
  listContacts(
    @CurrentUser() caller: Principal,
    @Query({ schema: PageQuerySchema }) page: PageQuery,
  ): Promise<Page<User>> {
    return this.queries.execute(new ListContacts(caller.userId, page));
  }

  @Put(':userId')
  @HttpCode(204)
  @Operation({
    tag: 'Users',
    summary: 'Put a user into the address book',
    answers: [{ status: 204, description: 'Done, or so before', schema: null }],
    refusals: ['not_found', 'conflict'],
  })
  addContact(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new AddContact(caller.userId, userId));
  }

  @Delete(':userId')
  @HttpCode(204)
  @Operation({
    tag: 'Users',
    summary: 'Take a user out of the address book',
    answers: [{ status: 204, description: 'Done, or so before', schema: null }],
  })
  removeContact(
    @CurrentUser() caller: Principal,
    @Param({ schema: UserPathSchema }) { userId }: UserPath,
  ): Promise<void> {
    return this.commands.execute(new RemoveContact(caller.userId, userId));
  }
}
