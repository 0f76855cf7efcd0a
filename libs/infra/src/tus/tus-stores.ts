import { mkdir } from 'node:fs/promises';
import type { DataStore } from '@tus/server';
import { UNFINISHED_UPLOAD_MS } from './tus-uploads.js';

export interface TusS3Settings {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Unfinished uploads in a folder. */
export async function openTusFolder(directory: string): Promise<DataStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { FileStore } = await import('@tus/file-store');
  return new FileStore({ directory, expirationPeriodInMilliseconds: UNFINISHED_UPLOAD_MS });
}

/** Unfinished uploads in the bucket, so that any process can go on with one. */
export async function openTusBucket({ endpoint, region, bucket, credentials }: TusS3Settings): Promise<DataStore> {
  const { S3Store } = await import('@tus/s3-store');
  return new S3Store({
    expirationPeriodInMilliseconds: UNFINISHED_UPLOAD_MS,
    // Not every server that speaks the protocol has tags.
    useTags: false,
    s3ClientConfig: {
      bucket,
      region,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
    },
  });
}
