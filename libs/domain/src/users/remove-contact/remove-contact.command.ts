import { Command } from '@nestjs/cqrs';

/** Takes a user out of the caller's address book. */
export class RemoveContact extends Command<void> {
  constructor(
    readonly callerId: string,
    readonly userId: string,
  ) {
    super();
  }
}
