import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { User } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { Broadcast } from '../../ports/broadcast.port.js';
import { UserDirectory } from '../user-directory.port.js';
import { toOwnUser } from '../user-record.js';
import { UpdateMe } from './update-me.command.js';

@CommandHandler(UpdateMe)
export class UpdateMeHandler implements ICommandHandler<UpdateMe> {
  constructor(
    @Inject(UserDirectory) private readonly users: UserDirectory,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
  ) {}

  async execute({ userId, change }: UpdateMe): Promise<User> {
    const { avatarMediaId, ...profile } = change;
    // Nothing can be uploaded in this version, so no id is one of the caller's media.
    if (avatarMediaId != null) throw new DomainError('not_found', 'No such medium');
    const user = await this.users.update(userId, {
      ...profile,
      ...(avatarMediaId === null ? { avatarUrl: null } : {}),
    });
    if (!user) throw new DomainError('unauthenticated', 'The token is of a user that does not exist');
    // Told before it is answered, so that nobody sees or hides longer than the caller thinks.
    if (profile.presenceHidden !== undefined) {
      await this.broadcast.publish([{ type: 'presence-hidden', userId, hidden: user.presenceHidden }]);
    }
    return toOwnUser(user);
  }
}
