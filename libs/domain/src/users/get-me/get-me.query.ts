import type { User } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** The caller's own profile, with what only it may see. */
export class GetMe extends Query<User> {
  constructor(readonly userId: string) {
    super();
  }
}
