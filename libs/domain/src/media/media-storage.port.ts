import type { Readable } from 'node:stream';
import type { MediaVariant, SpooledFile } from './media-record.js';

/** Both ends are part of it; bytes are counted from 0. */
export interface ByteRange {
  from: number;
  to: number;
}

/** What a browser is told beside the bytes by a store that it is sent to. */
export interface DownloadHeaders {
  mimeType: string;
  /** Value of the header Content-Disposition. */
  disposition: string;
}

/** Where the bytes of media lie. Names are those of the domain; nothing of a user's file name gets here. */
export abstract class MediaStorage {
  /**
   * Takes a spooled file over, which is gone afterwards. Whole or not at all, also if the process dies meanwhile; done
   * again it replaces what is there.
   */
  abstract put(mediaId: string, variant: MediaVariant, file: SpooledFile, mimeType: string): Promise<void>;
  /** Size in bytes, or null when there is nothing. */
  abstract size(mediaId: string, variant: MediaVariant): Promise<number | null>;
  /**
   * The bytes, all of them without a range. Whoever asked destroys the stream when it no longer reads.
   * @throws DomainError `not_found` when there is nothing
   */
  abstract read(mediaId: string, variant: MediaVariant, range?: ByteRange): Promise<Readable>;
  /** Deletes every variant; what is not there is no error. */
  abstract remove(mediaId: string): Promise<void>;
  /** An address at which anybody gets the bytes from the store itself for so long; null where the store has none. */
  abstract link(
    mediaId: string,
    variant: MediaVariant,
    headers: DownloadHeaders,
    seconds: number,
  ): Promise<string | null>;
}
