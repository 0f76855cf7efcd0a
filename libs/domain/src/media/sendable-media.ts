import { Inject } from '@nestjs/common';
import type { Media } from '@parley/contracts';
import { DomainError } from '../errors/domain-error.js';
import { mediaFacts } from './linked-media.js';
import { MediaDirectory } from './media-directory.port.js';

/** What a send takes along. */
export class SendableMedia {
  constructor(@Inject(MediaDirectory) private readonly directory: MediaDirectory) {}

  /**
   * Facts about these media, in this order, each once: the user's own uploads, and what was sent to the user before.
   * They stay at least a day, within which the send has to be decided.
   * @throws DomainError `not_found` for one that is neither, an avatar of somebody else too
   */
  async facts(userId: string, mediaIds: readonly string[]): Promise<Media[]> {
    const wanted = [...new Set(mediaIds)];
    const found = new Map((await this.directory.use(userId, wanted)).map((medium) => [medium.mediaId, medium]));
    return wanted.map((mediaId) => {
      const medium = found.get(mediaId);
      if (!medium) throw new DomainError('not_found', 'No such medium');
      return mediaFacts(medium);
    });
  }
}
