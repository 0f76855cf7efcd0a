import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { type Media, MediaSchema } from '@parley/contracts';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { S3_ACCOUNT } from '../../scripts/engines/index.mjs';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { fetched, upload } from '../clients/media-client.js';
import { TestUser } from '../clients/test-user.js';
import { pictureBytes } from '../media/pictures.js';

const COLLECTION = '/v1/media/tus';
/** The smallest part of a bucket's upload, and a little. */
const PIECE_BYTES = 5_300_000;
const UNFINISHED_PER_USER_MAX = 20;
/** The other worker takes the picture over when the lease of half a minute has run out. */
const TAKEN_OVER = { timeout: 90_000, interval: 250 };

let cluster: TrialCluster;
let bucket: S3Client;
let ada: TestUser;
beforeAll(async () => {
  cluster = await TrialCluster.start(['s3'], { workers: 2, apis: 2 });
  const { region, accessKeyId, secretAccessKey } = S3_ACCOUNT;
  const endpoint = cluster.engine.address;
  bucket = new S3Client({ region, endpoint, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  ada = await TestUser.signUp(cluster.url, 'Ada');
}, 180_000);
afterAll(async () => {
  bucket?.destroy();
  await cluster?.stop();
}, 60_000);

function tus(api: RoleProcess, method: string, path: string, headers: object = {}, body?: Buffer): Promise<Response> {
  return fetch(new URL(path, api.url), {
    method,
    headers: {
      authorization: `Bearer ${ada.rest.token}`,
      'tus-resumable': '1.0.0',
      ...(body && { 'content-type': 'application/offset+octet-stream' }),
      ...headers,
    },
    ...(body && { body: new Uint8Array(body) }),
  });
}
async function keysBelow(Prefix: string): Promise<string[]> {
  const { Contents = [] } = await bucket.send(new ListObjectsV2Command({ Bucket: S3_ACCOUNT.bucket, Prefix }));
  return Contents.map(({ Key = '' }) => Key);
}

it('a resumable upload goes on at another api than it was begun at, and leaves nothing but its medium', async () => {
  const [one, other] = cluster.of('api') as [RoleProcess, RoleProcess];
  const bytes = Buffer.concat([await pictureBytes(640, 480), Buffer.alloc(2 * PIECE_BYTES, randomUUID())]);
  const begun = await tus(one, 'POST', COLLECTION, { 'upload-length': String(bytes.length) });
  expect(begun.status).toBe(201);
  const location = begun.headers.get('location') ?? '';
  expect(location).toMatch(/^\/v1\/media\/tus\/[0-9a-f-]+_[0-9a-f-]+$/);

  const first = await tus(one, 'PATCH', location, { 'upload-offset': '0' }, bytes.subarray(0, PIECE_BYTES));
  expect(first.status, await first.text()).toBe(204);
  const head = await tus(other, 'HEAD', location);
  expect([head.status, head.headers.get('upload-offset')]).toEqual([200, String(PIECE_BYTES)]);
  const half = bytes.subarray(PIECE_BYTES, 2 * PIECE_BYTES);
  const second = await tus(other, 'PATCH', location, { 'upload-offset': String(PIECE_BYTES) }, half);
  expect([second.status, second.headers.get('upload-offset')]).toEqual([204, String(2 * PIECE_BYTES)]);
  expect((await keysBelow('media/unfinished/')).length).toBeGreaterThan(0);
  const rest = bytes.subarray(2 * PIECE_BYTES);
  const last = await tus(one, 'PATCH', location, { 'upload-offset': String(2 * PIECE_BYTES) }, rest);
  const media: Media = MediaSchema.parse(await last.json());

  expect((await fetched(ada, media.url)).bytes.equals(bytes)).toBe(true);
  expect(await keysBelow('media/unfinished/')).toEqual([]);
  expect((await keysBelow('')).filter((key) => !key.startsWith('media/'))).toEqual([]);
  const open = await bucket.send(new ListMultipartUploadsCommand({ Bucket: S3_ACCOUNT.bucket }));
  expect(open.Uploads ?? []).toEqual([]);
}, 90_000);

it('unfinished uploads in the bucket are bounded for each user, over all apis together', async () => {
  const [one, other] = cluster.of('api') as [RoleProcess, RoleProcess];
  const locations: string[] = [];
  for (let i = 0; i < UNFINISHED_PER_USER_MAX; i++) {
    const begun = await tus(i % 2 === 0 ? one : other, 'POST', COLLECTION, { 'upload-length': '10' });
    expect(begun.status).toBe(201);
    locations.push(begun.headers.get('location') ?? '');
  }
  expect((await tus(one, 'POST', COLLECTION, { 'upload-length': '10' })).status).toBe(409);
  for (const location of locations) expect((await tus(one, 'DELETE', location)).status).toBe(204);
  expect((await tus(other, 'POST', COLLECTION, { 'upload-length': '10' })).status).toBe(201);
}, 60_000);

/** The worker that has a process making pictures, and that process. */
async function renderer(): Promise<{ worker: RoleProcess; pid: number } | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const worker = cluster.of('worker').find((each) => each.pid === parent);
    if (worker) return { worker, pid: Number(pid) };
  }
  return undefined;
}

it('a thumbnail whose worker is killed in the middle is made by the other, and whoever asks for it gets it', async () => {
  const media = await upload(ada, { bytes: await pictureBytes(6_000, 4_000, 'jpeg'), fileName: 'a.jpg' });
  let found: Awaited<ReturnType<typeof renderer>>;
  await expect.poll(async () => (found = await renderer()), { timeout: 15_000, interval: 2 }).toBeDefined();
  found?.worker.signal('SIGKILL');
  expect((await found?.worker.end(5_000))?.signal).toBe('SIGKILL');
  expect(await keysBelow(`media/${media.mediaId.slice(0, 2)}/${media.mediaId}/`)).toHaveLength(1);

  const thumbnail = async (): Promise<number> => (await fetched(ada, `/v1/media/${media.mediaId}/thumbnail`)).status;
  await expect.poll(thumbnail, TAKEN_OVER).toBe(200);
  const { bytes } = await fetched(ada, `/v1/media/${media.mediaId}/screen`);
  expect((await sharp(bytes).metadata()).width).toBe(1_600);
}, 150_000);
