import { Body, Controller, Get, Inject, Param, Patch, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  type Page,
  type SearchUsersQuery,
  SearchUsersQuerySchema,
  type UpdateMe as UpdateMeBody,
  UpdateMeSchema,
  type User,
  UserListSchema,
  UserSchema,
} from '@parley/contracts';
import { GetMe, GetUser, type Principal, SearchUsers, UpdateMe } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users')
export class UsersController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  @Operation({
    tag: 'Users',
    summary: 'Users whose user name or display name begins with a text',
    description: 'Case does not matter. Matches by user name come first.',
    answers: [{ status: 200, description: 'A page of users', schema: UserListSchema }],
  })
  searchUsers(
    @CurrentUser() caller: Principal,
    @Query({ schema: SearchUsersQuerySchema }) query: SearchUsersQuery,
  ): Promise<Page<User>> {
    return this.queries.execute(new SearchUsers(caller.userId, query));
  }

  @Get('me')
  @Operation({
    tag: 'Users',
    summary: 'The caller',
    answers: [{ status: 200, description: 'The caller, with what only it sees', schema: UserSchema }],
  })
  getMe(@CurrentUser() caller: Principal): Promise<User> {
    return this.queries.execute(new GetMe(caller.userId));
  }

  @Patch('me')
  @Operation({
    tag: 'Users',
    summary: "Change the caller's profile; what is not given stays",
    description: '`avatarMediaId` names a picture of the caller; null takes the picture away.',
    answers: [{ status: 200, description: 'The caller as it is now', schema: UserSchema }],
    refusals: ['not_found'],
  })
  updateMe(@CurrentUser() caller: Principal, @Body({ schema: UpdateMeSchema }) body: UpdateMeBody): Promise<User> {
    return this.commands.execute(new UpdateMe(caller.userId, body));
  }

  @Get(':userId')
  @Operation({
    tag: 'Users',
    summary: 'One user',
    answers: [{ status: 200, description: 'The user', schema: UserSchema }],
    refusals: ['not_found'],
  })
  getUser(@Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<User> {
    return this.queries.execute(new GetUser(userId));
  }
}
