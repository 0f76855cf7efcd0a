import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Page, User } from '@parley/contracts';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { Blocks } from '../blocks.port.js';
import { pageOfListedUsers } from '../listed-users.js';
import { ListBlocks } from './list-blocks.query.js';

@QueryHandler(ListBlocks)
export class ListBlocksHandler implements IQueryHandler<ListBlocks> {
  constructor(
    @Inject(Blocks) private readonly blocks: Blocks,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  execute({ callerId, page }: ListBlocks): Promise<Page<User>> {
    const list = { ownerId: callerId, name: 'blocks' };
    return pageOfListedUsers(this.cursors, list, page, (before, limit) => this.blocks.list(callerId, before, limit));
  }
}
