import { Body, Controller, Get, Inject, Param, Patch, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  type Page,
  type SearchUsersQuery,
  SearchUsersQuerySchema,
  type UpdateMe as UpdateMeBody,
  UpdateMeSchema,
  type User,
} from '@parley/contracts';
import { GetMe, GetUser, type Principal, SearchUsers, UpdateMe } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users')
export class UsersController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  search(
    @CurrentUser() caller: Principal,
    @Query({ schema: SearchUsersQuerySchema }) query: SearchUsersQuery,
  ): Promise<Page<User>> {
    return this.queries.execute(new SearchUsers(caller.userId, query));
  }

  @Get('me')
  getMe(@CurrentUser() caller: Principal): Promise<User> {
    return this.queries.execute(new GetMe(caller.userId));
  }

  @Patch('me')
  updateMe(@CurrentUser() caller: Principal, @Body({ schema: UpdateMeSchema }) body: UpdateMeBody): Promise<User> {
    return this.commands.execute(new UpdateMe(caller.userId, body));
  }

  @Get(':userId')
  getUser(@Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<User> {
    return this.queries.execute(new GetUser(userId));
  }
}
