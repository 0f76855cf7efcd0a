import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetched, upload, uploadRefusal } from '../clients/media-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { gifOfFrames, pictureBytes, pngBomb } from '../media/pictures.js';

const LIMIT_BYTES = 1_000_000;
const BOUNDARY = 'boundary';

let app: TestApp;
let ada: TestUser;
let picture: Buffer;
beforeAll(async () => {
  app = await TestApp.start({ MEDIA_MAX_BYTES: String(LIMIT_BYTES), MEDIA_USER_QUOTA_BYTES: '2500000' });
  [ada] = (await app.someUsers('Ada')) as [TestUser];
  picture = await pictureBytes(64, 48);
});
afterAll(() => app.stop());

/** A body as no browser writes it. @returns the status and the code of the refusal */
async function raw(body: string | Buffer, type = `multipart/form-data; boundary=${BOUNDARY}`): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const headers = { authorization: `Bearer ${ada.rest.token}`, 'content-type': type };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method: 'POST', path: '/v1/media/upload', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => {
        const { code } = JSON.parse(text) as { code?: string };
        resolve(`${answer.statusCode}${code === undefined ? '' : ` ${code}`}`);
      });
    });
    request.once('error', reject);
    request.end(body);
  });
}

const part = (disposition: string, content: string): string =>
  `--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
const END = `--${BOUNDARY}--\r\n`;

describe('a hostile upload is refused with a clear answer, and the next one is taken', () => {
  const html = Buffer.from('<!doctype html><script>alert(document.cookie)</script>');
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
  it.each<[string, () => { bytes: Buffer; fileName: string; type: string }, string]>([
    [
      'a page called a picture',
      () => ({ bytes: html, fileName: 'a.png', type: 'image/png' }),
      '415 unsupported_media_type',
    ],
    [
      'a drawing with a script',
      () => ({ bytes: svg, fileName: 'a.svg', type: 'image/svg+xml' }),
      '415 unsupported_media_type',
    ],
    [
      'a picture of 900 million pixels in a few bytes',
      () => ({ bytes: pngBomb(30_000, 30_000), fileName: 'a.png', type: 'image/png' }),
      '422 media_too_large',
    ],
    [
      'an animation of too many frames',
      () => ({ bytes: gifOfFrames(1_001), fileName: 'a.gif', type: 'image/gif' }),
      '422 media_too_large',
    ],
    [
      'one byte more than is allowed',
      () => ({ bytes: Buffer.alloc(LIMIT_BYTES + 1), fileName: 'a.bin', type: '' }),
      '413 payload_too_large',
    ],
    [
      'many times more than is allowed',
      () => ({ bytes: Buffer.alloc(30 * LIMIT_BYTES), fileName: 'a.bin', type: '' }),
      '413 payload_too_large',
    ],
    [
      'nothing',
      () => ({ bytes: Buffer.alloc(0), fileName: 'a.png', type: 'image/png' }),
      '400 validation_failed file:empty',
    ],
  ])('%s', async (_what, file, refusal) => {
    expect(await uploadRefusal(ada, file())).toBe(refusal);
    expect((await upload(ada, { bytes: picture })).sizeBytes).toBe(picture.length);
  });

  it.each<[string, () => string | Buffer, string, string?]>([
    ['ten thousand parts', () => part('name="a"', 'x').repeat(10_000) + END, '400 validation_failed'],
    [
      'ten thousand files',
      () => part('name="file"; filename="a.txt"', 'x').repeat(10_000) + END,
      '400 validation_failed',
    ],
    [
      'a field beside the file',
      () => part('name="file"; filename="a.txt"', 'x') + part('name="ownerId"', 'x') + END,
      '400 validation_failed',
    ],
    ['no part at all', () => END, '400 validation_failed'],
    ['no end', () => part('name="file"; filename="a.txt"', 'x'), '400 validation_failed'],
    ['no boundary', () => 'text', '400 validation_failed', 'multipart/form-data; charset=utf-8'],
    ['bytes that are no parts', () => Buffer.alloc(50_000, 0xff), '400 validation_failed'],
    ['a part with a header without end', () => `--${BOUNDARY}\r\nx: ${'y'.repeat(200_000)}`, '400 validation_failed'],
    ['another type of body', () => 'a=b', '415 unsupported_media_type', 'application/x-www-form-urlencoded'],
  ])('%s', async (_what, body, refusal, type) => {
    expect(await raw(body(), type)).toBe(refusal);
    expect((await upload(ada, { bytes: picture })).sizeBytes).toBe(picture.length);
  });

  it('takes as many bytes as are allowed, and what is left of the quota', async () => {
    const [bob] = (await app.someUsers('Bob')) as [TestUser];
    const file = { bytes: Buffer.alloc(LIMIT_BYTES), fileName: 'a.bin', type: '' };
    for (let i = 0; i < 2; i++) expect((await upload(bob, file)).sizeBytes).toBe(LIMIT_BYTES);
    expect(await uploadRefusal(bob, file)).toBe('413 media_quota_exceeded');
    expect((await upload(bob, { ...file, bytes: Buffer.alloc(500_000) })).sizeBytes).toBe(500_000);
    expect(await uploadRefusal(bob, { bytes: picture })).toBe('413 media_quota_exceeded');
  });
});

describe('the name of a file', () => {
  it.each([
    ['../../etc/passwd.txt', 'passwd.txt'],
    ['..\\..\\windows\\a.txt', 'a.txt'],
    ['photo\u202Egnp.txt', 'photognp.txt'],
    ['a%0d%0aset-cookie: x=1.txt', 'a%0d%0aset-cookie_ x=1.txt'],
    ['nul\u0000l.txt', 'null.txt'],
  ])('%j is made harmless', async (fileName, shown) => {
    const media = await upload(ada, { bytes: Buffer.from('text'), fileName, type: 'text/plain' });
    expect(media.fileName).toBe(shown);
    const got = await fetched(ada, media.url);
    expect(got.status).toBe(200);
    expect(got.headers.get('set-cookie')).toBeNull();
    expect(got.headers.get('content-disposition')).toMatch(/^attachment; filename="[^"]+"; filename\*=UTF-8''\S+$/);
  });
});

it('what is a picture and a program at once is shown as a picture alone', async () => {
  const polyglot = Buffer.concat([picture, Buffer.from('<script>alert(1)</script>PK\u0003\u0004')]);
  const media = await upload(ada, { bytes: polyglot, fileName: 'a.html', type: 'text/html' });
  expect(media.mimeType).toBe('image/png');
  const { headers } = await fetched(ada, media.url);
  expect(headers.get('content-type')).toBe('image/png');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox$/);
});
