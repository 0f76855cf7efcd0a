import { type _Object, type MultipartUpload, paginateListObjectsV2, type S3ClientConfig } from '@aws-sdk/client-s3';
import { S3Store } from '@tus/s3-store';
import { ERRORS } from '@tus/server';

export interface TusBucketOptions {
  s3: S3ClientConfig & { bucket: string };
  /** Before the key of everything that belongs to an unfinished upload; nothing else of the bucket is looked at. */
  keyPrefix: string;
  /** An upload that was begun so long ago is deleted. */
  expireAfterMs: number;
}

const PARTS_AT_ONCE = 8;
/** Of one round of the collection; the rest waits for the next one. */
const EXPIRED_PER_ROUND_MAX = 1_000;
const LISTED_AT_ONCE = 1_000;
const SUFFIX = /\.(info|part)$/;
const NOT_FOUND = new Set(['NotFound', 'NoSuchKey', 'NoSuchUpload']);

/** The base would remember for ever what another process has finished or deleted since. */
const FORGETFUL = {
  get: async (): Promise<undefined> => undefined,
  set: async (): Promise<void> => {},
  delete: async (): Promise<void> => {},
};

/**
 * Unfinished uploads below one prefix of a bucket. Beside what its base does: it deletes what a finished upload leaves,
 * also on servers for which a finished upload is none that could be aborted, deletes objects one by one, which every
 * server can, and collects only what is below its prefix.
 */
export class TusBucket extends S3Store {
  constructor(private readonly given: TusBucketOptions) {
    super({
      expirationPeriodInMilliseconds: given.expireAfterMs,
      // Not every server that speaks the protocol has tags.
      useTags: false,
      maxConcurrentPartUploads: PARTS_AT_ONCE,
      cache: FORGETFUL,
      s3ClientConfig: given.s3,
    });
  }

  /** How many uploads below this prefix were begun and neither finished nor given up. @param atMost counts no further */
  async countBelow(prefix: string, atMost: number): Promise<number> {
    let found = 0;
    for await (const { Key = '' } of this.objects(prefix)) {
      if (Key.endsWith('.info')) found += 1;
      if (found >= atMost) break;
    }
    return found;
  }

  override async remove(id: string): Promise<void> {
    const known = await this.getMetadata(id).catch(unlessMissing);
    if (!known) throw Object.assign(new Error('No such upload'), ERRORS.FILE_NOT_FOUND);
    await this.abort(id, known['upload-id']);
    await this.deleteObjects(id);
  }

  override async deleteExpired(): Promise<number> {
    const before = Date.now() - this.given.expireAfterMs;
    const isExpired = (at: Date | undefined): boolean => at !== undefined && at.getTime() < before;
    const ids = new Set<string>();
    for await (const { Key = '', LastModified } of this.objects(this.given.keyPrefix)) {
      if (isExpired(LastModified)) ids.add(Key.replace(SUFFIX, ''));
      if (ids.size >= EXPIRED_PER_ROUND_MAX) break;
    }
    for (const id of ids) {
      const known = await this.getMetadata(id).catch(unlessMissing);
      if (known) await this.abort(id, known['upload-id']);
      await this.deleteObjects(id);
    }
    // Begun by a process that died before it wrote the description.
    for (const { Key = '', UploadId = '', Initiated } of await this.multipartUploads()) {
      if (!Key.startsWith(this.given.keyPrefix) || !isExpired(Initiated) || ids.has(Key)) continue;
      await this.abort(Key, UploadId);
      ids.add(Key);
    }
    return ids.size;
  }

  private async deleteObjects(id: string): Promise<void> {
    // Its description last: what is left by a process that dies here is found by it.
    for (const key of [id, this.partKey(id, true), this.infoKey(id)]) {
      await this.client.deleteObject({ Bucket: this.bucket, Key: key });
    }
  }

  private async *objects(prefix: string): AsyncGenerator<_Object> {
    const client = this.client;
    const pages = paginateListObjectsV2({ client, pageSize: LISTED_AT_ONCE }, { Bucket: this.bucket, Prefix: prefix });
    for await (const { Contents = [] } of pages) yield* Contents;
  }

  /** The first of them: those that were begun longest ago are among the next rounds'. */
  private async multipartUploads(): Promise<MultipartUpload[]> {
    const { Uploads = [] } = await this.client.listMultipartUploads({
      Bucket: this.bucket,
      Prefix: this.given.keyPrefix,
    });
    return Uploads;
  }

  private async abort(id: string, uploadId: string): Promise<void> {
    const upload = { Bucket: this.bucket, Key: id, UploadId: uploadId };
    // One that was finished is none any more.
    await this.client.abortMultipartUpload(upload).catch(unlessMissing);
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && NOT_FOUND.has(error.name)) return undefined;
  throw error;
}
