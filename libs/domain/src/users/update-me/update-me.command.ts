import type { UpdateMe as Change, User } from '@parley/contracts';
import { Command } from '@nestjs/cqrs';

/** Changes the caller's own profile; fields that are not given stay. */
export class UpdateMe extends Command<User> {
  constructor(
    readonly userId: string,
    readonly change: Change,
  ) {
    super();
  }
}
