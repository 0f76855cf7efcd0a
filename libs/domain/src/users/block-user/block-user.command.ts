import { Command } from '@nestjs/cqrs';

/** Blocks a user: its sends to the caller in direct conversations are refused from now on. */
export class BlockUser extends Command<void> {
  constructor(
    readonly callerId: string,
    readonly userId: string,
  ) {
    super();
  }
}
