import { randomUUID } from 'node:crypto';
import { MediaSchema, ProblemSchema, type Media } from '@parley/contracts';
import * as tus from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetched } from '../clients/media-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { pictureBytes } from '../media/pictures.js';

const LIMIT_BYTES = 3_000_000;

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let picture: Buffer;
beforeAll(async () => {
  app = await TestApp.start({ MEDIA_MAX_BYTES: String(LIMIT_BYTES), MEDIA_USER_QUOTA_BYTES: '8000000' });
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  picture = await pictureBytes(640, 480);
});
afterAll(() => app.stop());

const collection = '/v1/media/tus';
const encoded = (text: string): string => Buffer.from(text).toString('base64');

function call(
  user: TestUser | null,
  method: string,
  path: string,
  headers: object = {},
  body?: Uint8Array<ArrayBuffer>,
) {
  return fetch(new URL(path, app.url), {
    method,
    headers: {
      'tus-resumable': '1.0.0',
      ...(user && { authorization: `Bearer ${user.rest.token}` }),
      ...(body && { 'content-type': 'application/offset+octet-stream' }),
      ...headers,
    },
    ...(body && { body }),
  });
}

async function begin(user: TestUser, bytes: number, fileName = 'engine.png', fileType = 'image/png'): Promise<string> {
  const metadata = `filename ${encoded(fileName)},filetype ${encoded(fileType)}`;
  const answer = await call(user, 'POST', collection, { 'upload-length': String(bytes), 'upload-metadata': metadata });
  expect(answer.status, await answer.text()).toBe(201);
  return answer.headers.get('location') ?? '';
}

function byClient(options: Partial<tus.UploadOptions>): Promise<Media> {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(picture, {
      endpoint: `${app.url}${collection}`,
      metadata: { filename: '../engine.png', filetype: 'image/png' },
      headers: { authorization: `Bearer ${ada.rest.token}` },
      retryDelays: null,
      onSuccess: ({ lastResponse }) => resolve(MediaSchema.parse(JSON.parse(lastResponse.getBody()))),
      onError: reject,
      ...options,
    });
    upload.start();
  });
}

describe('a resumable upload', () => {
  it('by a client of the protocol, in pieces, is what one by a form is', async () => {
    const media = await byClient({ chunkSize: 200_000 });
    expect(media).toMatchObject({
      fileName: 'engine.png',
      mimeType: 'image/png',
      width: 640,
      sizeBytes: picture.length,
    });
    expect((await fetched(ada, media.url, { token: false })).bytes.equals(picture)).toBe(true);
  });

  it('that brings all its bytes when it begins is finished with that', async () => {
    const headers = { 'upload-length': String(picture.length), 'upload-metadata': `filename ${encoded('engine.png')}` };
    const answer = await call(ada, 'POST', collection, headers, new Uint8Array(picture));
    const location = answer.headers.get('location') ?? '';
    expect([answer.status, answer.headers.get('upload-offset')]).toEqual([201, String(picture.length)]);
    const media = MediaSchema.parse(await answer.json());
    expect((await fetched(ada, media.url)).bytes.equals(picture)).toBe(true);
    expect((await call(ada, 'HEAD', location)).status).toBe(404);
    expect(await byClient({ uploadDataDuringCreation: true })).toMatchObject({ sizeBytes: picture.length, width: 640 });
    const inPieces = await byClient({ uploadDataDuringCreation: true, chunkSize: 200_000 });
    expect(inPieces).toMatchObject({ sizeBytes: picture.length, width: 640 });
  });

  it('is refused like everything else: every refusal is a problem document', async () => {
    const location = await begin(ada, 10, 'a.bin', '');
    const missing = `${collection}/${ada.userId}_${randomUUID()}`;
    const start = { 'upload-offset': '0' };
    const wrong = { 'upload-length': String(LIMIT_BYTES + 1) };
    const refusals: [what: string, status: number, code: string, ask: () => Promise<Response>][] = [
      ['too large', 413, 'payload_too_large', () => call(ada, 'POST', collection, wrong)],
      ['no length', 400, 'validation_failed', () => call(ada, 'POST', collection)],
      ['no number', 400, 'validation_failed', () => call(ada, 'POST', collection, { 'upload-length': 'ten' })],
      ['none of one’s own', 404, 'not_found', () => call(ada, 'PATCH', missing, start, new Uint8Array(10))],
      ['another’s', 404, 'not_found', () => call(bob, 'PATCH', location, start, new Uint8Array(10))],
      ['another’s to delete', 404, 'not_found', () => call(bob, 'DELETE', location)],
      [
        'wrong offset',
        409,
        'conflict',
        () => call(ada, 'PATCH', location, { 'upload-offset': '3' }, new Uint8Array(2)),
      ],
      ['no offset', 400, 'validation_failed', () => call(ada, 'PATCH', location, {}, new Uint8Array(10))],
      ['more than was said', 413, 'payload_too_large', () => call(ada, 'PATCH', location, start, new Uint8Array(11))],
      [
        'another type of bytes',
        415,
        'unsupported_media_type',
        () => call(ada, 'PATCH', location, { ...start, 'content-type': 'application/json' }, new Uint8Array(10)),
      ],
      ['another version', 412, 'validation_failed', () => call(ada, 'DELETE', location, { 'tus-resumable': '0.2.2' })],
      ['another version', 412, 'validation_failed', () => call(ada, 'POST', collection, { 'tus-resumable': '0.2.2' })],
    ];
    for (const [what, status, code, ask] of refusals) {
      const answer = await ask();
      expect([answer.status, answer.headers.get('content-type')], what).toEqual([
        status,
        'application/problem+json; charset=utf-8',
      ]);
      const requestId = answer.headers.get('x-request-id');
      expect(ProblemSchema.parse(await answer.json()), what).toMatchObject({ status, code, requestId });
      expect(answer.headers.get('tus-resumable'), what).toBe('1.0.0');
    }
    expect((await call(ada, 'HEAD', location)).headers.get('upload-offset')).toBe('0');
    expect((await call(ada, 'PATCH', location, start, new Uint8Array(10))).status).toBe(200);
  });

  it('goes on where it was broken off', async () => {
    const location = await begin(ada, picture.length);
    const half = 300_000;
    const first = await call(
      ada,
      'PATCH',
      location,
      { 'upload-offset': '0' },
      new Uint8Array(picture.subarray(0, half)),
    );
    expect([first.status, first.headers.get('upload-offset')]).toEqual([204, String(half)]);
    const asked = await call(ada, 'HEAD', location);
    expect([asked.status, asked.headers.get('upload-offset')]).toEqual([200, String(half)]);
    expect((await call(ada, 'PATCH', location, { 'upload-offset': '7' }, new Uint8Array(3))).status).toBe(409);
    const rest = new Uint8Array(picture.subarray(half));
    const last = await call(ada, 'PATCH', location, { 'upload-offset': String(half) }, rest);
    const media = MediaSchema.parse(await last.json());
    expect((await fetched(ada, media.url)).bytes.equals(picture)).toBe(true);
    expect((await call(ada, 'HEAD', location)).status).toBe(404);
  });

  it('is its user’s own, and needs a token', async () => {
    const location = await begin(ada, 10);
    for (const [method, headers, body] of [
      ['HEAD', {}, undefined],
      ['PATCH', { 'upload-offset': '0' }, new Uint8Array(10)],
      ['DELETE', {}, undefined],
    ] as const) {
      expect((await call(bob, method, location, headers, body)).status, method).toBe(404);
      expect((await call(null, method, location, headers, body)).status, method).toBe(401);
    }
    expect((await call(null, 'POST', collection, { 'upload-length': '10' })).status).toBe(401);
    expect((await call(ada, 'GET', location)).status).toBe(404);
    expect((await call(ada, 'HEAD', `${collection}/${ada.userId}_..%2f..%2fsecret`)).status).toBe(404);
    expect((await call(ada, 'DELETE', location)).status).toBe(204);
    expect((await call(ada, 'HEAD', location)).status).toBe(404);
  });

  it('is looked at like every other one when it is complete, and is gone when it is refused', async () => {
    const html = Buffer.from('<script>alert(1)</script>');
    const location = await begin(ada, html.length, 'cat.png', 'image/png');
    const answer = await call(ada, 'PATCH', location, { 'upload-offset': '0' }, new Uint8Array(html));
    expect([answer.status, await answer.json()]).toMatchObject([415, { code: 'unsupported_media_type' }]);
    expect((await call(ada, 'HEAD', location)).status).toBe(404);
  });

  it('is refused at the beginning when it is too large, or more than the user has left', async () => {
    const large = await call(ada, 'POST', collection, { 'upload-length': String(LIMIT_BYTES + 1) });
    expect(large.status).toBe(413);
    for (let i = 0; i < 3; i++) {
      const bytes = new Uint8Array(2_500_000);
      const location = await begin(bob, bytes.length, `${randomUUID()}.bin`, '');
      expect((await call(bob, 'PATCH', location, { 'upload-offset': '0' }, bytes)).status).toBe(200);
    }
    const over = await call(bob, 'POST', collection, { 'upload-length': '2500000' });
    expect([over.status, await over.json()]).toMatchObject([413, { code: 'media_quota_exceeded' }]);
  });

  it('may be begun twenty times without an end, and not more', async () => {
    const [cat] = (await app.someUsers('Cat')) as [TestUser];
    for (let i = 0; i < 20; i++) await begin(cat, 10);
    expect((await call(cat, 'POST', collection, { 'upload-length': '10' })).status).toBe(409);
  });

  it('says what of the protocol it speaks, to anybody', async () => {
    const answer = await call(null, 'OPTIONS', collection);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('tus-version')).toBe('1.0.0');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
