import { Command } from '@nestjs/cqrs';

/** Puts a user into the caller's address book; one that is in it stays. */
export class AddContact extends Command<void> {
  constructor(
    readonly callerId: string,
    readonly userId: string,
  ) {
    super();
  }
}
