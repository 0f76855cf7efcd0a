import { Query } from '@nestjs/cqrs';
import type { MediaRecord, MediaVariant } from '../media-record.js';

/** A user by name; or whoever has the link of an avatar. */
export type MediaViewer = { kind: 'user'; userId: string } | { kind: 'avatar' };

export interface MediaFile {
  medium: MediaRecord;
  variant: MediaVariant;
  mimeType: string;
  sizeBytes: number;
  /** Differs whenever the bytes do. */
  etag: string;
  /** Value of Content-Disposition. */
  disposition: string;
  /** Where the store itself gives the bytes to a browser that is sent there; null: they go through this server. */
  link: string | null;
}

/** What a viewer gets of a medium, but for the bytes. */
export class GetMedia extends Query<MediaFile> {
  constructor(
    readonly viewer: MediaViewer,
    readonly mediaId: string,
    readonly variant: MediaVariant,
    /** True saves it to a file also where it could be shown. */
    readonly download: boolean,
  ) {
    super();
  }
}
