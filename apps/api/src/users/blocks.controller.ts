import { Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Page, type PageQuery, PageQuerySchema, type User } from '@parley/contracts';
import { BlockUser, ListBlocks, type Principal, UnblockUser } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { type UserPath, UserPathSchema } from './user-path.dto.js';

@Controller('v1/users/me/blocks')
export class BlocksController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  list(@CurrentUser() caller: Principal, @Query({ schema: PageQuerySchema }) page: PageQuery): Promise<Page<User>> {
    return this.queries.execute(new ListBlocks(caller.userId, page));
  }

  @Put(':userId')
  @HttpCode(204)
  block(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new BlockUser(caller.userId, userId));
  }

  @Delete(':userId')
  @HttpCode(204)
  unblock(@CurrentUser() caller: Principal, @Param({ schema: UserPathSchema }) { userId }: UserPath): Promise<void> {
    return this.commands.execute(new UnblockUser(caller.userId, userId));
  }
}
