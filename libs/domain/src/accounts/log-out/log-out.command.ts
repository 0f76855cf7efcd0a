import { Command } from '@nestjs/cqrs';

/** Ends the caller's session that the refresh token belongs to. A token that is nobody's, or somebody else's, ends nothing. */
export class LogOut extends Command<void> {
  constructor(
    readonly userId: string,
    readonly refreshToken: string,
  ) {
    super();
  }
}
