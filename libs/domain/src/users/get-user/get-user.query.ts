import type { User } from '@parley/contracts';
import { Query } from '@nestjs/cqrs';

/** Anybody's public profile. */
export class GetUser extends Query<User> {
  constructor(readonly userId: string) {
    super();
  }
}
