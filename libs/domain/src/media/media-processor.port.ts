import type { Readable } from 'node:stream';
import type { SpooledFile } from './media-record.js';

/** What an upload says of itself; nothing of it is believed. */
export interface UploadClaims {
  fileName: string;
  declaredType: string;
}

/** What the bytes are. */
export interface InspectedFile {
  mimeType: string;
  /** Pixels as shown; null for what is no picture that can be read. */
  width: number | null;
  height: number | null;
  /** Smaller pictures can be made of it. */
  isPicture: boolean;
}

/** The smaller pictures of an original, spooled. They carry nothing of what a camera wrote into it, its place above all. */
export interface Renditions {
  thumbnail: SpooledFile;
  screen: SpooledFile | null;
}

/** The picture cannot be made of these bytes, now or later. */
export class UnrenderablePicture extends Error {}

/** Looks into files that nobody has reason to trust. */
export abstract class MediaProcessor {
  /**
   * Looks at the head of a file; pictures are not decoded.
   * @throws DomainError `unsupported_media_type` for a picture, sound or film that is none, `media_too_large` for a
   * picture of too many pixels or frames
   */
  abstract inspect(file: SpooledFile, claims: UploadClaims): Promise<InspectedFile>;
  /**
   * The same file without what its camera wrote of the place where it was taken; not one pixel is another. Takes the file
   * over where it changes it, otherwise gives it back as it is.
   */
  abstract withoutPlace(file: SpooledFile, mimeType: string): Promise<SpooledFile>;
  /**
   * Makes the smaller pictures, in bounded time and memory, whatever the bytes are.
   * @throws UnrenderablePicture; anything else may go better another time
   */
  abstract render(original: Readable, options: { screen: boolean }): Promise<Renditions>;
}
