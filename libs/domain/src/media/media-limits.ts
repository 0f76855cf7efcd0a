import type { RateLimit } from '../ports/rate-limiter.port.js';

/** What uploads are bounded by, as configured. Type and DI token in one. */
export abstract class MediaLimits {
  abstract readonly fileBytesMax: number;
  /** Of all files of one user that have not been collected. */
  abstract readonly userQuotaBytes: number;
  abstract readonly uploadsPerUser: RateLimit;
}

/** Uploads of this process that are being received or checked at once; more are answered `overloaded`. */
export const UPLOADS_AT_ONCE_MAX = 64;
/** Of those, of one user. */
export const UPLOADS_AT_ONCE_PER_USER_MAX = 8;
/** What no message and no profile uses is deleted after this time. */
export const UNUSED_MEDIA_MS = 24 * 60 * 60 * 1_000;
