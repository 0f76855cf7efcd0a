import { Command } from '@nestjs/cqrs';

/** Ends a block. */
export class UnblockUser extends Command<void> {
  constructor(
    readonly callerId: string,
    readonly userId: string,
  ) {
    super();
  }
}
