import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { User } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { AvatarChoice } from '../../media/avatar-choice.js';
import { Broadcast } from '../../ports/broadcast.port.js';
import { UserDirectory } from '../user-directory.port.js';
import { toOwnUser } from '../user-record.js';
import { UpdateMe } from './update-me.command.js';

@CommandHandler(UpdateMe)
export class UpdateMeHandler implements ICommandHandler<UpdateMe> {
  constructor(
    @Inject(UserDirectory) private readonly users: UserDirectory,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(AvatarChoice) private readonly avatars: AvatarChoice,
  ) {}

  async execute({ userId, change }: UpdateMe): Promise<User> {
    const { avatarMediaId, ...profile } = change;
    const avatar = avatarMediaId === undefined ? {} : await this.avatars.changeFor(userId, avatarMediaId);
    const user = await this.users.update(userId, { ...profile, ...avatar });
    if (!user) throw new DomainError('unauthenticated', 'The token is of a user that does not exist');
    // Told before it is answered, so that nobody sees or hides longer than the caller thinks.
    if (profile.presenceHidden !== undefined) {
      await this.broadcast.publish([{ type: 'presence-hidden', userId, hidden: user.presenceHidden }]);
    }
    return toOwnUser(user);
  }
}
