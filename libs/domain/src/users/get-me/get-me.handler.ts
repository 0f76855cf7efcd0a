import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { User } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { UserDirectory } from '../user-directory.port.js';
import { toOwnUser } from '../user-record.js';
import { GetMe } from './get-me.query.js';

@QueryHandler(GetMe)
export class GetMeHandler implements IQueryHandler<GetMe> {
  constructor(@Inject(UserDirectory) private readonly users: UserDirectory) {}

  async execute({ userId }: GetMe): Promise<User> {
    const user = await this.users.find(userId);
    if (!user) throw new DomainError('unauthenticated', 'The token is of a user that does not exist');
    return toOwnUser(user);
  }
}
