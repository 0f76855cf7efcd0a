import type { Session, Signup } from '@parley/contracts';
import { Command } from '@nestjs/cqrs';

/** Makes a user with a password and its first session. */
export class SignUp extends Command<Session> {
  constructor(readonly signup: Signup) {
    super();
  }
}
