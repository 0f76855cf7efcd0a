import { MediaSchema } from '@parley/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { S3_ACCOUNT, startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';
import { fetched, upload } from '../clients/media-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { pictureBytes } from '../media/pictures.js';

let engines: StartedEngines;
let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let picture: Buffer;
beforeAll(async () => {
  engines = await startEngines(['s3']);
  app = await TestApp.start({
    S3_ENDPOINT: engines.env['S3_ENDPOINT'] ?? '',
    S3_BUCKET: S3_ACCOUNT.bucket,
    S3_ACCESS_KEY_ID: S3_ACCOUNT.accessKeyId,
    S3_SECRET_ACCESS_KEY: S3_ACCOUNT.secretAccessKey,
  });
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  picture = await pictureBytes(640, 480);
});
afterAll(async () => {
  await app.stop();
  await engines.stop();
});

it('a picture is stored in the bucket, sent, and fetched from the store by those who may see it', async () => {
  const media = await upload(ada, { bytes: picture });
  const { conversationId } = await ada.group([bob]);
  const { messageId } = await ada.send(conversationId, '', { mediaIds: [media.mediaId] });
  const link = (await bob.message(conversationId, messageId)).media[0]?.url ?? '';
  const asked = await fetch(new URL(link, app.url), { redirect: 'manual' });
  expect([asked.status, asked.headers.get('cache-control')]).toEqual([302, 'no-store']);
  expect(asked.headers.get('location')).toContain(engines.env['S3_ENDPOINT']);
  const got = await fetched(bob, link, { token: false });
  expect(got.bytes.equals(picture)).toBe(true);
  expect(got.headers.get('content-disposition')).toMatch(/^inline; filename="engine.png"/);
  const { status, bytes } = await fetched(bob, `/v1/media/${media.mediaId}/thumbnail`);
  expect([status, bytes.subarray(8, 12).toString()]).toEqual([200, 'WEBP']);
  await ada.members(conversationId, { remove: [bob.userId] });
  expect((await fetched(bob, link, { token: false })).status).toBe(404);
});

it('a resumable upload keeps its parts in the bucket until it is complete', async () => {
  const call = (method: string, path: string, headers: object, body?: Buffer): Promise<Response> =>
    fetch(new URL(path, app.url), {
      method,
      headers: { authorization: `Bearer ${ada.rest.token}`, 'tus-resumable': '1.0.0', ...headers },
      ...(body && { body: new Uint8Array(body) }),
    });
  const begun = await call('POST', '/v1/media/tus', { 'upload-length': String(picture.length) });
  const location = begun.headers.get('location') ?? '';
  const type = { 'content-type': 'application/offset+octet-stream' };
  const half = Math.floor(picture.length / 2);
  const first = await call('PATCH', location, { ...type, 'upload-offset': '0' }, picture.subarray(0, half));
  expect([first.status, first.headers.get('upload-offset')]).toEqual([204, String(half)]);
  const last = await call('PATCH', location, { ...type, 'upload-offset': String(half) }, picture.subarray(half));
  const media = MediaSchema.parse(await last.json());
  expect((await fetched(ada, media.url)).bytes.equals(picture)).toBe(true);
  const atOnce = await call('POST', '/v1/media/tus', { ...type, 'upload-length': String(picture.length) }, picture);
  expect(atOnce.status).toBe(201);
  expect((await fetched(ada, MediaSchema.parse(await atOnce.json()).url)).bytes.equals(picture)).toBe(true);
});
