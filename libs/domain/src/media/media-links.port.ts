import type { MediaVariant } from './media-record.js';

/** What a link says of itself. */
export interface LinkClaims {
  mediaId: string;
  viewer?: string | undefined;
  /** Seconds since the epoch. */
  expires?: string | undefined;
  signature?: string | undefined;
  avatar?: string | undefined;
}

/** For whom a link speaks. Whether that user may see the medium is asked when the link is used, not when it is made. */
export type LinkBearer = { kind: 'user'; userId: string } | { kind: 'avatar' } | { kind: 'expired' } | { kind: 'none' };

/**
 * Links to media that need no header, for an `<img>`. Paths of this server: clients resolve them against the address
 * at which they reach it.
 */
export abstract class MediaLinks {
  /** Lasts an hour at most, 59 minutes at least; the same within a minute, so that what is shown again is not fetched again. */
  abstract sign(userId: string, mediaId: string, variant: MediaVariant): string;
  /** Of its thumbnail, which is small and has none of the original's notes of where it was taken; lasts as long as the medium is somebody's avatar. */
  abstract avatar(mediaId: string): string;
  /** Good for every variant of the medium. */
  abstract verify(claims: LinkClaims): LinkBearer;
}
