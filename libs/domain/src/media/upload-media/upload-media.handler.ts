import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Media } from '@parley/contracts';
import { DomainError, invalidField } from '../../errors/domain-error.js';
import { OVERLOADED_RETRY_AFTER_MS } from '../../limits/domain-limits.js';
import { RateLimiter } from '../../ports/rate-limiter.port.js';
import { safeFileName } from '../file-name.js';
import { linkedMedia, mediaFacts } from '../linked-media.js';
import { MediaDirectory } from '../media-directory.port.js';
import { MediaLimits, UPLOADS_AT_ONCE_MAX, UPLOADS_AT_ONCE_PER_USER_MAX } from '../media-limits.js';
import { MediaLinks } from '../media-links.port.js';
import { type InspectedFile, MediaProcessor, type UploadClaims } from '../media-processor.port.js';
import type { MediaRecord, SpooledFile } from '../media-record.js';
import { MediaSpool } from '../media-spool.port.js';
import { MediaStorage } from '../media-storage.port.js';
import { UploadMedia } from './upload-media.command.js';

@CommandHandler(UploadMedia)
export class UploadMediaHandler implements ICommandHandler<UploadMedia> {
  /** Uploads under way, by user. */
  private readonly underWay = new Map<string, number>();
  private total = 0;

  constructor(
    @Inject(MediaDirectory) private readonly directory: MediaDirectory,
    @Inject(MediaStorage) private readonly storage: MediaStorage,
    @Inject(MediaSpool) private readonly spool: MediaSpool,
    @Inject(MediaProcessor) private readonly processor: MediaProcessor,
    @Inject(MediaLinks) private readonly links: MediaLinks,
    @Inject(RateLimiter) private readonly limiter: RateLimiter,
    @Inject(MediaLimits) private readonly limits: MediaLimits,
  ) {}

  /**
   * @throws DomainError `rate_limited`, `overloaded`, `payload_too_large`, `media_quota_exceeded`, `media_too_large`,
   * `unsupported_media_type`, `validation_failed` for an empty file; nothing is kept then
   */
  async execute({ userId, claims, bytes }: UploadMedia): Promise<Media> {
    try {
      return await this.oneOfFew(userId, () => this.receive(userId, claims, bytes));
    } finally {
      if (bytes instanceof Readable) bytes.destroy();
    }
  }

  private async receive(userId: string, claims: UploadClaims, bytes: Readable | SpooledFile): Promise<Media> {
    await this.admit(userId);
    let file = bytes instanceof Readable ? await this.spool.receive(bytes, this.limits.fileBytesMax) : bytes;
    try {
      if (file.sizeBytes === 0) throw invalidField('file', 'empty', 'The file is empty');
      const found = await this.processor.inspect(file, claims);
      file = await this.processor.withoutPlace(file, found.mimeType);
      return linkedMedia(mediaFacts(await this.keep(userId, claims, found, file)), userId, this.links);
    } finally {
      await this.spool.discard(file);
    }
  }

  /** Before the bytes are read: whoever may not upload need not send them. */
  private async admit(userId: string): Promise<void> {
    const { allowed, retryAfterMs } = await this.limiter.take(`upload:${userId}`, 1, this.limits.uploadsPerUser);
    if (!allowed) throw new DomainError('rate_limited', 'Too many uploads', { retryAfterMs });
    if ((await this.directory.usedBytes(userId)) >= this.limits.userQuotaBytes) throw quotaExceeded();
  }

  private async keep(
    userId: string,
    claims: UploadClaims,
    { mimeType, width, height, isPicture }: InspectedFile,
    file: SpooledFile,
  ): Promise<MediaRecord> {
    const medium: MediaRecord = {
      mediaId: randomUUID(),
      ownerId: userId,
      fileName: safeFileName(claims.fileName),
      mimeType,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
      width,
      height,
      renditions: isPicture ? 'pending' : 'none',
    };
    if ((await this.directory.add(medium, this.limits.userQuotaBytes)) === 'quota-exceeded') throw quotaExceeded();
    // A process that dies here leaves a row that nobody has heard of: it is collected like any medium that is never sent.
    try {
      await this.storage.put(medium.mediaId, 'original', file, mimeType);
    } catch (error) {
      await this.directory.discard(medium.mediaId);
      throw error;
    }
    await this.directory.stored(medium.mediaId);
    return medium;
  }

  private async oneOfFew<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const own = this.underWay.get(userId) ?? 0;
    if (this.total >= UPLOADS_AT_ONCE_MAX || own >= UPLOADS_AT_ONCE_PER_USER_MAX) {
      throw new DomainError('overloaded', 'Too many uploads at once', { retryAfterMs: OVERLOADED_RETRY_AFTER_MS });
    }
    this.underWay.set(userId, own + 1);
    this.total += 1;
    try {
      return await work();
    } finally {
      this.total -= 1;
      const left = (this.underWay.get(userId) ?? 1) - 1;
      if (left > 0) this.underWay.set(userId, left);
      else this.underWay.delete(userId);
    }
  }
}

function quotaExceeded(): DomainError {
  return new DomainError('media_quota_exceeded', 'Your files take all the space that you have');
}
