import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DomainError } from '../../errors/domain-error.js';
import { contentDisposition } from '../file-name.js';
import { MediaDirectory } from '../media-directory.port.js';
import { type MediaRecord, type MediaVariant, RENDITION_TYPE } from '../media-record.js';
import { MediaStorage } from '../media-storage.port.js';
import { GetMedia, type MediaFile, type MediaViewer } from './get-media.query.js';

/**
 * What a browser may show by itself: pictures, films and sounds, none of which can hold a script. Everything else is
 * saved; HTML and SVG shown from this address could do what their viewer can.
 */
const SHOWN =
  /^(image\/(png|jpeg|gif|webp|avif)|video\/(mp4|webm|quicktime)|audio\/(mpeg|mp4|ogg|wav|aac|x-flac|flac|opus|x-m4a))$/;
/** How long whoever asks for a smaller picture is kept waiting until it is made. */
const RENDERING_WAIT_MS = 8_000;
/** And after how long it may ask again then. */
const RENDERING_AGAIN_MS = 2_000;
const RENDERING_ASKED_EVERY_MS = 100;
const WAITING_MAX = 500;
const STORE_LINK_SECONDS = 300;

@QueryHandler(GetMedia)
export class GetMediaHandler implements IQueryHandler<GetMedia> {
  private waiting = 0;

  constructor(
    @Inject(MediaDirectory) private readonly directory: MediaDirectory,
    @Inject(MediaStorage) private readonly storage: MediaStorage,
  ) {}

  /**
   * @throws DomainError `not_found` for what is not there, never will be, or is not for this viewer; `overloaded` for a
   *   smaller picture that is not made yet
   */
  async execute({ viewer, mediaId, variant, download }: GetMedia): Promise<MediaFile> {
    const medium = await this.find(viewer, mediaId);
    const given = variant === 'original' ? variant : await this.made(viewer, medium, variant);
    const mimeType = given === 'original' ? medium.mimeType : RENDITION_TYPE;
    const kind = !download && SHOWN.test(mimeType) ? 'inline' : 'attachment';
    const disposition = contentDisposition(kind, given === 'original' ? medium.fileName : renditionName(medium, given));
    const link = await this.storage.link(mediaId, given, { mimeType, disposition }, STORE_LINK_SECONDS);
    const sizeBytes = link !== null ? 0 : await this.storage.size(mediaId, given);
    if (sizeBytes === null) throw notFound();
    const etag = `"${medium.sha256.slice(0, 40)}${given === 'original' ? '' : `-${given}`}"`;
    return { medium, variant: given, mimeType, sizeBytes, etag, disposition, link };
  }

  private async find(viewer: MediaViewer, mediaId: string): Promise<MediaRecord> {
    const medium =
      viewer.kind === 'user'
        ? await this.directory.findFor(viewer.userId, mediaId)
        : await this.directory.findAvatar(mediaId);
    if (!medium) throw notFound();
    return medium;
  }

  /** Waits until the smaller picture is made. A picture that is small enough is its own screen-sized one. */
  private async made(viewer: MediaViewer, first: MediaRecord, variant: 'thumbnail' | 'screen'): Promise<MediaVariant> {
    let medium = first;
    const until = Date.now() + RENDERING_WAIT_MS;
    while (medium.renditions === 'pending' && Date.now() < until && this.waiting < WAITING_MAX) {
      this.waiting += 1;
      await new Promise((resolve) => setTimeout(resolve, RENDERING_ASKED_EVERY_MS));
      this.waiting -= 1;
      medium = await this.find(viewer, medium.mediaId);
    }
    if (medium.renditions === 'pending') {
      throw new DomainError('overloaded', 'This picture is not made yet', { retryAfterMs: RENDERING_AGAIN_MS });
    }
    if (medium.renditions === 'both') return variant;
    if (medium.renditions !== 'thumbnail')
      throw new DomainError('not_found', 'There is no such picture of this medium');
    return variant === 'screen' ? 'original' : variant;
  }
}

function renditionName({ fileName }: MediaRecord, variant: MediaVariant): string {
  return `${fileName.replace(/\.[^.]{1,12}$/, '')}-${variant}.webp`;
}

function notFound(): DomainError {
  return new DomainError('not_found', 'No such medium');
}
