import type { Readable } from 'node:stream';
import type { SpooledFile } from './media-record.js';

/** A place on the disk of this machine for files on their way: uploads that are received, pictures that are made. */
export abstract class MediaSpool {
  /**
   * Writes a stream to a file, hashing it on the way; never more than a few chunks are in memory. The stream is read to
   * its end or destroyed.
   * @throws DomainError `payload_too_large` above `bytesMax`; or what the stream failed with. No file is left then
   */
  abstract receive(bytes: Readable, bytesMax: number): Promise<SpooledFile>;
  /** The same for a file that another program has written to this machine's disk; it is moved. */
  abstract adopt(path: string): Promise<SpooledFile>;
  /** Deletes it, unless the storage has taken it over. Never rejects. */
  abstract discard(file: SpooledFile): Promise<void>;
}
