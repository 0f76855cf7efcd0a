import { Inject } from '@nestjs/common';
import { DomainError, invalidField } from '../errors/domain-error.js';
import type { ProfileChange } from '../users/user-directory.port.js';
import { MediaDirectory } from './media-directory.port.js';
import { MediaLinks } from './media-links.port.js';

/** What choosing a picture for oneself changes of the profile. */
export class AvatarChoice {
  constructor(
    @Inject(MediaDirectory) private readonly media: MediaDirectory,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /**
   * @param mediaId null takes the picture away
   * @throws DomainError `not_found` unless it is an upload of the user, `validation_failed` unless it is a picture
   */
  async changeFor(userId: string, mediaId: string | null): Promise<ProfileChange> {
    const found = await this.media.use(userId, mediaId === null ? [] : [mediaId]);
    if (mediaId === null) return { avatarMediaId: null, avatarUrl: null };
    const medium = found.find(({ ownerId }) => ownerId === userId);
    if (!medium) throw new DomainError('not_found', 'No such medium');
    if (medium.renditions === 'none' || medium.renditions === 'failed') {
      throw invalidField('avatarMediaId', 'not_a_picture', 'This medium is no picture');
    }
    return { avatarMediaId: mediaId, avatarUrl: this.links.avatar(mediaId) };
  }
}
