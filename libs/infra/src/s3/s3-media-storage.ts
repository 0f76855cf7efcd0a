import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import {
  type ByteRange,
  DomainError,
  type DownloadHeaders,
  MediaStorage,
  type MediaVariant,
  reasonOf,
  type SpooledFile,
  storageKeyOf,
} from '@parley/domain';

export interface S3Settings {
  endpoint: string | undefined;
  region: string;
  bucket: string;
  /** Undefined: what the machine has. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  keyPrefix: string;
  /** Whether browsers are sent to the store; where they reach it, if that is not `endpoint`. */
  signedLinks: boolean;
  publicEndpoint: string | undefined;
}

const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 30_000;
const ATTEMPTS_MAX = 3;
const VARIANTS: readonly MediaVariant[] = ['original', 'thumbnail', 'screen'];
const STORE_RETRY_AFTER_MS = 2_000;

/** Media as objects of a bucket, on any server that speaks the S3 protocol. */
export class S3MediaStorage extends MediaStorage {
  private readonly client: S3Client;
  /** Signs for the address at which browsers reach the store. */
  private readonly signer: S3Client;

  constructor(private readonly settings: S3Settings) {
    super();
    this.client = new S3Client(clientConfig(settings, settings.endpoint));
    this.signer = new S3Client(clientConfig(settings, settings.publicEndpoint ?? settings.endpoint));
  }

  /** @throws in a sentence when the bucket cannot be used */
  async check(): Promise<void> {
    const { bucket } = this.settings;
    try {
      await this.client.send(new HeadBucketCommand({ Bucket: bucket }));
    } catch (error) {
      throw new Error(`The bucket ${bucket} (S3_BUCKET) cannot be used: ${whyOf(error)}`, { cause: error });
    }
  }

  close(): void {
    this.client.destroy();
    this.signer.destroy();
  }

  /** In parts above 8 MiB; an upload that is broken off leaves nothing that could be read. */
  override async put(mediaId: string, variant: MediaVariant, file: SpooledFile, mimeType: string): Promise<void> {
    const object = this.object(mediaId, variant);
    await answered(async () => {
      const upload = new Upload({
        client: this.client,
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
        params: { ...object, Body: createReadStream(file.path), ContentType: mimeType },
      });
      await upload.done();
    });
    await rm(file.path, { force: true });
  }

  override async size(mediaId: string, variant: MediaVariant): Promise<number | null> {
    return answered(async () => {
      try {
        const { ContentLength } = await this.client.send(new HeadObjectCommand(this.object(mediaId, variant)));
        return ContentLength ?? null;
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  }

  override async read(mediaId: string, variant: MediaVariant, range?: ByteRange): Promise<Readable> {
    return answered(async () => {
      try {
        const command = new GetObjectCommand({
          ...this.object(mediaId, variant),
          ...(range && { Range: `bytes=${range.from}-${range.to}` }),
        });
        const { Body } = await this.client.send(command);
        return Body as Readable;
      } catch (error) {
        if (isMissing(error)) throw new DomainError('not_found', 'No such medium');
        throw error;
      }
    });
  }

  override async remove(mediaId: string): Promise<void> {
    // One by one: not every server that speaks the protocol deletes several at once. What is not there is no error.
    const objects = VARIANTS.map((variant) => this.object(mediaId, variant));
    await answered(async () => {
      for (const object of objects) await this.client.send(new DeleteObjectCommand(object));
    });
  }

  override async link(
    mediaId: string,
    variant: MediaVariant,
    { mimeType, disposition }: DownloadHeaders,
    seconds: number,
  ): Promise<string | null> {
    if (!this.settings.signedLinks) return null;
    const command = new GetObjectCommand({
      ...this.object(mediaId, variant),
      ResponseContentType: mimeType,
      ResponseContentDisposition: disposition,
      ResponseCacheControl: `private, max-age=${seconds}`,
    });
    return getSignedUrl(this.signer, command, { expiresIn: seconds });
  }

  private object(mediaId: string, variant: MediaVariant): { Bucket: string; Key: string } {
    const { bucket, keyPrefix } = this.settings;
    return { Bucket: bucket, Key: `${keyPrefix}${storageKeyOf(mediaId, variant)}` };
  }
}

function clientConfig({ region, credentials }: S3Settings, endpoint: string | undefined): S3ClientConfig {
  return {
    region,
    maxAttempts: ATTEMPTS_MAX,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    // Other servers than Amazon's have neither a host name for each bucket nor its newer checksums.
    ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(credentials && { credentials }),
  };
}

/** What the store refuses has a name and often no message; what the network refuses only the message. */
const whyOf = (error: unknown): string => (nameOf(error) === 'Error' ? reasonOf(error) : nameOf(error));
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : String(error));

function isMissing(error: unknown): boolean {
  return ['NotFound', 'NoSuchKey'].includes(nameOf(error));
}

/** @throws DomainError `store_unavailable` for whatever the store does wrong */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DomainError) throw error;
    const unavailable = new DomainError('store_unavailable', 'The store of media does not answer', {
      retryAfterMs: STORE_RETRY_AFTER_MS,
    });
    unavailable.cause = error;
    throw unavailable;
  }
}
