import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import type { Media } from '@parley/contracts';
import {
  DomainError,
  MediaDirectory,
  MediaLimits,
  MediaLinks,
  MediaProcessor,
  MediaSpool,
  MediaStorage,
  MediaWork,
  type UploadClaims,
} from '@parley/domain';
import { HmacMediaLinks } from './auth/hmac-media-links.js';
import type { AppConfig } from './config/configuration.js';
import { FolderMediaSpool, FolderMediaStorage } from './folder/index.js';
import type { Database } from './postgres/database.js';
import { PostgresMediaDirectory } from './postgres/media/postgres-media-directory.js';
import { SharpMediaProcessor } from './sharp/index.js';
import { openTusBucket, openTusFolder, TusUploads } from './tus/index.js';

export interface MediaRecordsOptions {
  /** Open and migrated; whoever opened it closes it, after the application. */
  database: Database;
  /** Signs links, so it is the same in all processes. */
  jwtSecret: string;
}

export interface MediaInfraOptions {
  config: Pick<AppConfig, 'media' | 's3' | 'profile'>;
  onTrouble: (what: string, error: unknown) => void;
}

const RECORDS = [MediaDirectory, MediaLinks];
const FILES = [MediaStorage, MediaSpool, MediaProcessor, MediaLimits];

/**
 * What is known of media, for every process that takes commands or shows messages; their bytes too, for the processes
 * that take uploads or work on them.
 */
@Module({})
export class MediaInfraModule {
  static records({ database, jwtSecret }: MediaRecordsOptions): DynamicModule {
    return {
      module: MediaInfraModule,
      global: true,
      providers: [
        { provide: MediaDirectory, useFactory: () => new PostgresMediaDirectory(database.pool) },
        { provide: MediaLinks, useFactory: () => new HmacMediaLinks(jwtSecret) },
      ],
      exports: RECORDS,
    };
  }

  static files({ config }: MediaInfraOptions): DynamicModule {
    const { media } = config;
    const spoolFolder = spoolFolderOf(config);
    return {
      module: MediaFilesModule,
      global: true,
      providers: [
        {
          provide: MediaLimits,
          useFactory: (): MediaLimits => ({
            fileBytesMax: media.fileBytesMax,
            userQuotaBytes: media.userQuotaBytes,
            uploadsPerUser: media.uploadsPerUser,
          }),
        },
        { provide: MediaStorage, useFactory: () => openStorage(config) },
        { provide: MediaSpool, useFactory: () => FolderMediaSpool.open(spoolFolder) },
        {
          provide: MediaProcessor,
          inject: [MediaSpool],
          useFactory: (spool: MediaSpool) =>
            new SharpMediaProcessor({ spool, workFolder: spoolFolder, pixelsMax: media.pixelsMax }),
        },
      ],
      exports: FILES,
    };
  }

  /** Renditions and the collection of what nothing uses; needs both modules above. */
  static work({ onTrouble }: MediaInfraOptions): DynamicModule {
    return {
      module: MediaWorkModule,
      providers: [
        {
          provide: MediaWork,
          inject: [MediaDirectory, MediaStorage, MediaSpool, MediaProcessor],
          useFactory: (...parts: [MediaDirectory, MediaStorage, MediaSpool, MediaProcessor]) => {
            const [directory, storage, spool, processor] = parts;
            return new MediaWorkWithApp({ directory, storage, spool, processor, onTrouble });
          },
        },
      ],
      exports: [MediaWork],
    };
  }
}

@Module({})
class MediaFilesModule {}

@Module({})
class MediaWorkModule {}

class MediaWorkWithApp extends MediaWork {
  onApplicationBootstrap(): void {
    this.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }
}

function usesS3({ media, s3 }: MediaInfraOptions['config']): boolean {
  return media.storage === 's3' || (media.storage === 'auto' && s3.bucket !== undefined);
}

/** Beside the folder of the storage, so that a file is taken over by renaming it. */
function spoolFolderOf(config: MediaInfraOptions['config']): string {
  // Each account of a machine has its own: what another one made cannot be written to.
  const base = usesS3(config)
    ? join(tmpdir(), `parley-media-${process.getuid?.() ?? 'of-all'}`)
    : join(config.profile.dataDir, 'media');
  return join(base, 'spool');
}

/** What resumable uploads need of the application. */
export interface ResumableUploadParts {
  path: string;
  usedBytes: (userId: string) => Promise<number>;
  upload: (userId: string, claims: UploadClaims, bytes: Readable) => Promise<Media>;
}

/** Resumable uploads, whose parts lie where files lie; nothing of them is loaded before the first one. */
export function resumableUploads(
  config: Pick<AppConfig, 'media' | 's3' | 'profile'>,
  { path, usedBytes, upload }: ResumableUploadParts,
): TusUploads {
  const { fileBytesMax, userQuotaBytes } = config.media;
  const logger = new Logger('Media');
  return new TusUploads({
    path,
    fileBytesMax,
    openStore: () => {
      const { endpoint, region, bucket, keyPrefix } = config.s3;
      if (!usesS3(config) || bucket === undefined) return openTusFolder(join(config.profile.dataDir, 'media', 'tus'));
      return openTusBucket({ endpoint, region, bucket, keyPrefix, credentials: credentialsOf(config) });
    },
    admit: async (userId, sizeBytes) => {
      if ((await usedBytes(userId)) + sizeBytes > userQuotaBytes) throw new DomainError('media_quota_exceeded');
    },
    finish: upload,
    onTrouble: (what, error) => logger.warn(`${what}: ${String(error)}`),
  });
}

function credentialsOf({ s3 }: MediaInfraOptions['config']) {
  const { accessKeyId, secretAccessKey } = s3;
  return accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : undefined;
}

async function openStorage(config: MediaInfraOptions['config']): Promise<MediaStorage> {
  const { endpoint, region, bucket, keyPrefix, ...links } = config.s3;
  if (!usesS3(config) || bucket === undefined) {
    return new FolderMediaStorage(join(config.profile.dataDir, 'media', 'files'));
  }
  // Not even loaded where files lie in a folder.
  const { S3MediaStorage } = await import('./s3/index.js');
  const storage = new S3MediaStorage({
    endpoint,
    region,
    bucket,
    credentials: credentialsOf(config),
    keyPrefix,
    signedLinks: links.signedLinks === 'on',
    publicEndpoint: links.publicEndpoint,
  });
  await storage.check();
  return storage;
}
