import { mkdir } from 'node:fs/promises';
import type { DataStore } from '@tus/server';

/** Where unfinished uploads lie. */
export interface UploadStore {
  store: DataStore;
  /** Before the name of every upload in the store; never in its address. */
  idPrefix: string;
  /** How many uploads of the user are not finished; no further than `atMost`. */
  unfinishedOf: (userId: string, atMost: number) => Promise<number>;
}

export interface TusS3Settings {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  keyPrefix: string;
}

/** An upload that is not finished by then is deleted. */
export const UNFINISHED_UPLOAD_MS = 24 * 60 * 60_000;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;
const ATTEMPTS_MAX = 3;

/** Unfinished uploads in a folder, which every process that takes uploads must see. */
export async function openTusFolder(directory: string): Promise<UploadStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { FileStore } = await import('@tus/file-store');
  const store = new FileStore({ directory, expirationPeriodInMilliseconds: UNFINISHED_UPLOAD_MS });
  const unfinishedOf = async (userId: string): Promise<number> => {
    const known = (await store.configstore.list?.()) ?? [];
    return known.filter((id) => id.startsWith(userId)).length;
  };
  return { store, idPrefix: '', unfinishedOf };
}

/** Unfinished uploads in the bucket, so that any process can go on with one. */
export async function openTusBucket(
  settings: TusS3Settings,
  expireAfterMs = UNFINISHED_UPLOAD_MS,
): Promise<UploadStore> {
  const { endpoint, region, bucket, credentials } = settings;
  const { TusBucket } = await import('./tus-bucket.js');
  const keyPrefix = `${settings.keyPrefix}unfinished/`;
  const store = new TusBucket({
    keyPrefix,
    expireAfterMs,
    s3: {
      bucket,
      region,
      maxAttempts: ATTEMPTS_MAX,
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials && { credentials }),
    },
  });
  return {
    store,
    idPrefix: keyPrefix,
    unfinishedOf: (userId, atMost) => store.countBelow(`${keyPrefix}${userId}_`, atMost),
  };
}
