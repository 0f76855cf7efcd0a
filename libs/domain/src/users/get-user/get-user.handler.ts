import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { User } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { UserDirectory } from '../user-directory.port.js';
import { toUser } from '../user-record.js';
import { GetUser } from './get-user.query.js';

@QueryHandler(GetUser)
export class GetUserHandler implements IQueryHandler<GetUser> {
  constructor(@Inject(UserDirectory) private readonly users: UserDirectory) {}

  async execute({ userId }: GetUser): Promise<User> {
    const user = await this.users.find(userId);
    if (!user) throw new DomainError('not_found', 'No such user');
    return toUser(user);
  }
}
