import { GetMediaHandler } from './get-media/get-media.handler.js';
import { UploadMediaHandler } from './upload-media/upload-media.handler.js';

export * from './avatar-choice.js';
export * from './file-name.js';
export * from './get-media/get-media.query.js';
export * from './linked-media.js';
export * from './media-directory.port.js';
export * from './media-limits.js';
export * from './media-links.port.js';
export * from './media-processor.port.js';
export * from './media-record.js';
export * from './media-spool.port.js';
export * from './media-storage.port.js';
export * from './media-work.js';
export * from './sendable-media.js';
export * from './upload-media/upload-media.command.js';

/** For the Nest module of the process that takes uploads and gives media out. */
export const MEDIA_HANDLERS = [UploadMediaHandler, GetMediaHandler];
