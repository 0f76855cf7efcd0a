import type { MediaRecord } from './media-record.js';

export interface RenderJob {
  medium: MediaRecord;
  /** How many times it was begun, this time too. */
  attempt: number;
}

/** Which media there are, whose they are, who may see them, and what is still to be done about them. */
export abstract class MediaDirectory {
  /**
   * Adds a medium whose bytes are about to be stored, if its owner stays within the quota; many at once never pass it
   * together. Until `stored` is called it is nobody's job to render.
   */
  abstract add(medium: MediaRecord, quotaBytes: number): Promise<'added' | 'quota-exceeded'>;
  /** Its bytes are in the storage. */
  abstract stored(mediaId: string): Promise<void>;
  /** Its bytes could not be stored. The quota is given back. */
  abstract discard(mediaId: string): Promise<void>;
  abstract usedBytes(userId: string): Promise<number>;

  /**
   * The medium, for its uploader, members of a conversation that it was sent to (from their join on, while the message
   * is not deleted), and for everybody while it is an avatar. Null for all others, as when it does not exist.
   */
  abstract findFor(userId: string, mediaId: string): Promise<MediaRecord | null>;
  /** The medium, while it is somebody's avatar. */
  abstract findAvatar(mediaId: string): Promise<MediaRecord | null>;
  /**
   * Those that the user uploaded or was sent, in no particular order, to be sent or shown as an avatar: none of them is
   * collected within the next day, nor is the avatar that they had so far. That everybody sees somebody's avatar makes
   * it nobody else's: else its owner could never take it away.
   */
  abstract use(userId: string, mediaIds: readonly string[]): Promise<MediaRecord[]>;

  /** The oldest medium without its renditions, for this worker alone until the lease ends; null when there is none. */
  abstract claimRendering(leaseMs: number): Promise<RenderJob | null>;
  /** False when the medium is no longer there. */
  abstract rendered(mediaId: string, state: 'thumbnail' | 'both' | 'failed'): Promise<boolean>;

  /**
   * Forgets media that nothing has used for `unusedMs`, a bounded piece: neither a message, nor an avatar, nor a send
   * that is under way. Their bytes are due to be deleted; see `garbage`.
   * @returns how many were looked at: 0 when this round has seen them all
   */
  abstract forgetUnused(nowMs: number, unusedMs: number): Promise<number>;
  /** Some media that are forgotten and whose bytes may still be there. */
  abstract garbage(limit: number): Promise<string[]>;
  /** Their bytes are deleted. */
  abstract swept(mediaIds: readonly string[]): Promise<void>;
}
