import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@tus/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTusBucket, type UploadStore } from '../../libs/infra/src/tus/index.js';
import { S3_ACCOUNT, startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';

const { bucket, region, accessKeyId, secretAccessKey } = S3_ACCOUNT;
const HOUR_MS = 3_600_000;

describe('unfinished uploads in a bucket', () => {
  let engines: StartedEngines;
  let client: S3Client;
  let keyPrefix: string;
  beforeAll(async () => {
    engines = await startEngines(['s3']);
    keyPrefix = `test-${randomUUID()}/`;
    client = new S3Client({ ...settings(), forcePathStyle: true });
  });
  afterAll(async () => {
    client.destroy();
    await engines.stop();
  });

  const settings = () => ({
    endpoint: engines.env['S3_ENDPOINT'] ?? '',
    region,
    bucket,
    credentials: { accessKeyId, secretAccessKey },
    keyPrefix,
  });
  const keys = async (): Promise<string[]> =>
    ((await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: keyPrefix }))).Contents ?? []).map(
      ({ Key = '' }) => Key,
    );
  const multipartKeys = async (): Promise<string[]> =>
    ((await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? []).map(({ Key = '' }) => Key);
  /** Ten bytes are said, and five have come. */
  async function begin({ store, idPrefix }: UploadStore, userId: string): Promise<string> {
    const id = `${idPrefix}${userId}_${randomUUID()}`;
    await store.create(new Upload({ id, size: 10, offset: 0 }));
    await store.write(Readable.from([Buffer.from('12345')]), id, 0);
    return id;
  }

  it('are counted by user, and known to every process', async () => {
    const [one, other] = await Promise.all([openTusBucket(settings()), openTusBucket(settings())]);
    const [ada, bob] = [randomUUID(), randomUUID()];
    const ids = [await begin(one, ada), await begin(other, ada), await begin(one, bob)];
    expect([await other.unfinishedOf(ada, 20), await other.unfinishedOf(bob, 20)]).toEqual([2, 1]);
    expect(await one.unfinishedOf(ada, 1)).toBe(1);
    expect((await other.store.getUpload(ids[0] ?? '')).offset).toBe(5);
    for (const id of ids) await other.store.remove(id);
    expect([await one.unfinishedOf(ada, 20), await keys(), await multipartKeys()]).toEqual([0, [], []]);
    await expect(one.store.remove(ids[0] ?? '')).rejects.toMatchObject({ status_code: 404 });
  });

  it('are deleted a day after they were begun, with every part, and nothing else of the bucket is', async () => {
    const usual = await openTusBucket(settings());
    const id = await begin(usual, randomUUID());
    // Of a process that died at once, and of somebody else who has the same bucket.
    const [orphan, strangers] = [`${usual.idPrefix}${randomUUID()}`, `backups/${randomUUID()}`];
    for (const Key of [orphan, strangers]) await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key }));
    expect(await usual.store.deleteExpired()).toBe(0);
    expect((await usual.store.getUpload(id)).offset).toBe(5);

    // For whom a day is over already.
    const hasty = await openTusBucket(settings(), -HOUR_MS);
    expect(await hasty.store.deleteExpired()).toBe(2);
    expect([await keys(), await multipartKeys()]).toEqual([[], [strangers]]);
    await expect(usual.store.getUpload(id)).rejects.toMatchObject({ status_code: 404 });
  });
});
