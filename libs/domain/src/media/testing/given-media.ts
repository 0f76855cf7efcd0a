import { randomUUID } from 'node:crypto';
import type { MediaDirectory } from '../media-directory.port.js';
import { type LinkBearer, MediaLinks } from '../media-links.port.js';
import type { MediaRecord, MediaVariant } from '../media-record.js';

export function picture(ownerId: string, changes: Partial<MediaRecord> = {}): MediaRecord {
  return {
    mediaId: randomUUID(),
    ownerId,
    fileName: 'engine.png',
    mimeType: 'image/png',
    sizeBytes: 1_000,
    sha256: 'ab'.repeat(32),
    width: 40,
    height: 30,
    renditions: 'pending',
    ...changes,
  };
}

/** Uploads of users, who see their own alone. */
export class GivenMedia implements Pick<MediaDirectory, 'use'> {
  readonly all: MediaRecord[] = [];

  of(ownerId: string, changes: Partial<MediaRecord> = {}): MediaRecord {
    const medium = picture(ownerId, changes);
    this.all.push(medium);
    return medium;
  }

  async use(userId: string, mediaIds: readonly string[]): Promise<MediaRecord[]> {
    return this.all.filter(({ mediaId, ownerId }) => ownerId === userId && mediaIds.includes(mediaId));
  }
}

/** Links that say in words for whom they are. */
export class PlainLinks extends MediaLinks {
  override sign(userId: string, mediaId: string, variant: MediaVariant): string {
    return `/${mediaId}/${variant}?for=${userId}`;
  }
  override avatar(mediaId: string): string {
    return `/${mediaId}/thumbnail?avatar`;
  }
  override verify(): LinkBearer {
    return { kind: 'none' };
  }
}
