import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Blocks } from '../blocks.port.js';
import { BLOCKS_MAX } from '../contacts.port.js';
import { refuseOneself, requireListed } from '../listed-users.js';
import { BlockUser } from './block-user.command.js';

@CommandHandler(BlockUser)
export class BlockUserHandler implements ICommandHandler<BlockUser> {
  constructor(@Inject(Blocks) private readonly blocks: Blocks) {}

  async execute({ callerId, userId }: BlockUser): Promise<void> {
    refuseOneself(callerId, userId);
    requireListed(await this.blocks.block(callerId, userId), BLOCKS_MAX);
  }
}
