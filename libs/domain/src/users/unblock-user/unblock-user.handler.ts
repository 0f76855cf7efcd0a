import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Blocks } from '../blocks.port.js';
import { UnblockUser } from './unblock-user.command.js';

@CommandHandler(UnblockUser)
export class UnblockUserHandler implements ICommandHandler<UnblockUser> {
  constructor(@Inject(Blocks) private readonly blocks: Blocks) {}

  async execute({ callerId, userId }: UnblockUser): Promise<void> {
    await this.blocks.unblock(callerId, userId);
  }
}
