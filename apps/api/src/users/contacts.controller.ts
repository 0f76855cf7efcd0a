import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Page, type PageQuery, PageQuerySchema, type User } from '@parley/contracts';
import { AddContact, ListContacts, type Principal, RemoveContact } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users/me/contacts')
export class ContactsController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  list(@CurrentUser() caller: Principal, @Query({ schema: PageQuerySchema }) page: PageQuery): Promise<Page<User>> {
    return this.queries.execute(new ListContacts(caller.userId, page));
  }

  @Put(':userId')
  @HttpCode(204)
  add(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new AddContact(caller.userId, userId));
  }

  @Delete(':userId')
  @HttpCode(204)
  remove(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new RemoveContact(caller.userId, userId));
  }
}
