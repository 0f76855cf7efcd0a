const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What can be fetched of a medium: its own bytes, and for pictures two smaller ones that the worker makes. */
export type MediaVariant = 'original' | 'thumbnail' | 'screen';

/**
 * How far the smaller pictures are. `none`: it is no picture that can be shown; `pending`: the worker has not made them
 * yet; `thumbnail`: there is one, and no screen-sized one, since the original is no larger; `both`; `failed`: for good.
 */
export type RenditionState = 'none' | 'pending' | 'thumbnail' | 'both' | 'failed';

/** A medium as the directory keeps it. But for its renditions nothing of it ever changes. */
export interface MediaRecord {
  mediaId: string;
  ownerId: string;
  fileName: string;
  /** Found from the bytes. */
  mimeType: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
  /** Pixels as shown, after the picture's own rotation; null for what is no picture. */
  width: number | null;
  height: number | null;
  renditions: RenditionState;
}

/** A file on the disk of this machine, on its way into the storage. */
export interface SpooledFile {
  path: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Above this in either direction, or above `SCREEN_BYTES`, a picture gets a rendition for screens. */
export const SCREEN_PIXELS_EDGE_MAX = 1_600;
export const SCREEN_BYTES = 500_000;
export const THUMBNAIL_PIXELS_EDGE_MAX = 320;
/** Both smaller pictures are of this type. */
export const RENDITION_TYPE = 'image/webp';

export function deservesScreenRendition({ width, height, sizeBytes }: MediaRecord): boolean {
  return Math.max(width ?? 0, height ?? 0) > SCREEN_PIXELS_EDGE_MAX || sizeBytes > SCREEN_BYTES;
}

/** @throws Error for what is no UUID: it becomes part of a path */
export function storageKeyOf(mediaId: string, variant: MediaVariant): string {
  if (!UUID.test(mediaId)) throw new Error('A medium is named by a UUID');
  return `${mediaId.slice(0, 2)}/${mediaId}/${variant}`;
}
