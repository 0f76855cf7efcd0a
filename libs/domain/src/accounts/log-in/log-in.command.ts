import type { Login, Session } from '@parley/contracts';
import { Command } from '@nestjs/cqrs';

/** Opens a session by name and password. `clientAddress` is what failed attempts are counted by. */
export class LogIn extends Command<Session> {
  constructor(
    readonly login: Login,
    readonly clientAddress: string,
  ) {
    super();
  }
}
