import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Page, type PageQuery, PageQuerySchema, type User, UserListSchema } from '@parley/contracts';
import { BlockUser, ListBlocks, type Principal, UnblockUser } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users/me/blocks')
export class BlocksController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  @Operation({
    tag: 'Users',
    summary: 'Whom the caller has blocked, newest first',
    answers: [{ status: 200, description: 'A page of users', schema: UserListSchema }],
  })
  listBlocks(
    @CurrentUser() caller: Principal,
    @Query({ schema: PageQuerySchema }) page: PageQuery,
  ): Promise<Page<User>> {
    return this.queries.execute(new ListBlocks(caller.userId, page));
  }

  @Put(':userId')
  @HttpCode(204)
  @Operation({
    tag: 'Users',
    summary: 'Block a user',
    description: 'Its sends to the caller in direct conversations and new ones are refused with `blocked`.',
    answers: [{ status: 204, description: 'Done, or so before', schema: null }],
    refusals: ['not_found', 'conflict'],
  })
  blockUser(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new BlockUser(caller.userId, userId));
  }

  @Delete(':userId')
  @HttpCode(204)
  @Operation({
    tag: 'Users',
    summary: 'End a block',
    answers: [{ status: 204, description: 'Done, or so before', schema: null }],
  })
  unblockUser(
    @CurrentUser() caller: Principal,
    @Param({ schema: UserPathSchema }) { userId }: UserPath,
  ): Promise<void> {
    return this.commands.execute(new UnblockUser(caller.userId, userId));
  }
}
