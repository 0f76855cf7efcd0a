import type { Readable } from 'node:stream';
import { Command } from '@nestjs/cqrs';
import type { Media } from '@parley/contracts';
import type { SpooledFile } from '../media-record.js';
import type { UploadClaims } from '../media-processor.port.js';

/** Keeps a file of the user: checked, stored, within the quota. The stream is read to its end, or destroyed. */
export class UploadMedia extends Command<Media> {
  constructor(
    readonly userId: string,
    readonly claims: UploadClaims,
    /** As it comes over the network, or what has come already. */
    readonly bytes: Readable | SpooledFile,
  ) {
    super();
  }
}
