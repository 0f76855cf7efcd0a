import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { S3_ACCOUNT, startEngines, type StartedEngines } from '../../../../scripts/engines/index.mjs';
import { mediaStorageContract } from '../../../domain/src/media/media-storage.port.contract.js';
import { S3MediaStorage, type S3Settings } from './s3-media-storage.js';

let engines: StartedEngines | undefined;

/** That of the test run, or one that is started for this file. */
async function endpoint(): Promise<string> {
  const given = process.env['S3_ENDPOINT'];
  if (given) return given;
  engines ??= await startEngines(['s3']);
  return engines.env['S3_ENDPOINT'] ?? '';
}

async function settings(changes: Partial<S3Settings> = {}): Promise<S3Settings> {
  const { bucket, region, accessKeyId, secretAccessKey } = S3_ACCOUNT;
  return {
    endpoint: await endpoint(),
    region,
    bucket,
    credentials: { accessKeyId, secretAccessKey },
    keyPrefix: `test-${randomUUID()}/`,
    signedLinks: true,
    publicEndpoint: undefined,
    ...changes,
  };
}

afterAll(() => engines?.stop());

mediaStorageContract('S3MediaStorage', async () => {
  const storage = new S3MediaStorage(await settings());
  return { storage, close: async () => storage.close() };
});

describe('media in a bucket', () => {
  let folder: string;
  let storage: S3MediaStorage;
  let mediaId: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-s3-'));
    storage = new S3MediaStorage(await settings());
    mediaId = randomUUID();
    const path = join(folder, 'spooled');
    await writeFile(path, 'a picture');
    await storage.put(mediaId, 'original', { path, sizeBytes: 9, sha256: '' }, 'image/png');
  });
  afterAll(async () => {
    storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  const headers = { mimeType: 'image/png', disposition: 'inline' };

  it('are for nobody without a signature, or with another one', async () => {
    const link = await storage.link(mediaId, 'original', headers, 60);
    expect((await fetch(link ?? '')).status).toBe(200);
    const unsigned = new URL(link ?? '');
    unsigned.search = '';
    expect((await fetch(unsigned)).status).toBe(403);
    const forged = new URL(link ?? '');
    forged.searchParams.set('X-Amz-Signature', '0'.repeat(64));
    expect((await fetch(forged)).status).toBe(403);
  });

  it('are no longer given once the link has run out', async () => {
    const link = await storage.link(mediaId, 'original', headers, 1);
    const status = async (): Promise<number> => (await fetch(link ?? '')).status;
    await expect.poll(status, { timeout: 15_000 }).toBe(403);
  });

  it('are linked at the address that browsers know, and through this server where links are off', async () => {
    const elsewhere = new S3MediaStorage(await settings({ publicEndpoint: 'https://files.example' }));
    expect(await elsewhere.link(mediaId, 'original', headers, 60)).toMatch(/^https:\/\/files\.example\//);
    const own = new S3MediaStorage(await settings({ signedLinks: false }));
    expect(await own.link(mediaId, 'original', headers, 60)).toBeNull();
    elsewhere.close();
    own.close();
  });

  it('need the bucket and the account that are configured, which the start says', async () => {
    const wrong = [{ bucket: 'not-there' }, { credentials: { accessKeyId: 'parley-tests', secretAccessKey: 'wrong' } }];
    await storage.check();
    for (const changes of wrong) {
      const other = new S3MediaStorage(await settings(changes));
      await expect(other.check(), JSON.stringify(changes)).rejects.toThrow(
        /^The bucket [\w-]+ \(S3_BUCKET\) cannot be used/,
      );
      other.close();
    }
  });

  it('that cannot be reached is said to be so', async () => {
    const away = new S3MediaStorage(await settings({ endpoint: 'http://127.0.0.1:9' }));
    await expect(away.check()).rejects.toThrow(/\(S3_BUCKET\) cannot be used: connect ECONNREFUSED 127\.0\.0\.1:9$/);
    away.close();
  });

  it('are unavailable, in bounded time, where the store does not answer', async () => {
    const away = new S3MediaStorage(await settings({ endpoint: 'http://127.0.0.1:9' }));
    await expect(away.size(mediaId, 'original')).rejects.toMatchObject({ code: 'store_unavailable' });
    await expect(away.remove(mediaId)).rejects.toMatchObject({ code: 'store_unavailable' });
    away.close();
  });
});
