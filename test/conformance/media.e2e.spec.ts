import { createHash, randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageSchema } from '@parley/contracts';
import sharp from 'sharp';
import { fetched, upload, uploadRefusal } from '../clients/media-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { phonePicture, pictureBytes } from '../media/pictures.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let cat: TestUser;
let picture: Buffer;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob, cat] = (await app.someUsers('Ada', 'Bob', 'Cat')) as [TestUser, TestUser, TestUser];
  picture = await pictureBytes(640, 480);
});
afterAll(() => app.stop());

const plain = (mediaId: string): string => `/v1/media/${mediaId}`;

describe('an upload', () => {
  it('is answered with what the bytes are, and given back byte by byte', async () => {
    const media = await upload(ada, { bytes: picture, fileName: 'engine.png' });
    expect(media).toMatchObject({
      mimeType: 'image/png',
      sizeBytes: picture.length,
      width: 640,
      height: 480,
      fileName: 'engine.png',
    });
    const got = await fetched(ada, media.url);
    expect(got.status).toBe(200);
    expect(got.bytes.equals(picture)).toBe(true);
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(picture.length),
      'x-content-type-options': 'nosniff',
      'content-disposition': `inline; filename="engine.png"; filename*=UTF-8''engine.png`,
      'accept-ranges': 'bytes',
      etag: `"${createHash('sha256').update(picture).digest('hex').slice(0, 40)}"`,
    });
    expect(got.headers.get('content-security-policy')).toMatch(/default-src 'none'.*sandbox/);
  });

  it('of any other file is kept to be saved, not shown', async () => {
    const bytes = Buffer.from('<!doctype html><script>alert(1)</script>');
    const media = await upload(ada, { bytes, fileName: 'page.html', type: 'text/html' });
    expect(media).toMatchObject({ mimeType: 'text/plain', thumbnailUrl: null, width: null, height: null });
    const got = await fetched(ada, media.url);
    expect(got.headers.get('content-disposition')).toMatch(/^attachment; /);
    expect(got.headers.get('content-type')).toBe('text/plain');
  });

  it('takes the type from the bytes where the name says another picture', async () => {
    const media = await upload(ada, { bytes: await pictureBytes(8, 8, 'webp'), fileName: 'a.png' });
    expect(media.mimeType).toBe('image/webp');
  });

  it('needs a token, one field called file, and multipart', async () => {
    const path = '/v1/media/upload';
    const anonymous = await fetch(app.url + path, { method: 'POST', body: new FormData() });
    expect(anonymous.status).toBe(401);
    expect(await uploadRefusal(ada, { bytes: picture, field: 'other' })).toBe(
      '400 validation_failed other:unknown_field',
    );
    expect(await ada.rest.refusal('POST', path, { file: 'x' })).toBe('415 unsupported_media_type');
    expect(await uploadRefusal(ada, { bytes: Buffer.alloc(0) })).toBe('400 validation_failed file:empty');
  });

  it('that is broken off leaves nothing, and the next one works', async () => {
    const { hostname, port } = new URL(app.url);
    await new Promise<void>((resolve) => {
      const headers = { authorization: `Bearer ${ada.rest.token}`, 'content-type': 'multipart/form-data; boundary=b' };
      const request = httpRequest({ hostname, port, method: 'POST', path: '/v1/media/upload', headers });
      request.once('error', () => resolve());
      request.write('--b\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n');
      request.write(picture.subarray(0, 1_000), () => request.destroy());
    });
    expect((await upload(ada, { bytes: picture })).sizeBytes).toBe(picture.length);
  });
});

describe('a file', () => {
  it('is for its uploader alone until it is sent, by token and by link', async () => {
    const media = await upload(ada, { bytes: picture });
    expect((await fetched(ada, plain(media.mediaId))).status).toBe(200);
    expect((await fetched(ada, media.url, { token: false })).status).toBe(200);
    expect((await fetched(bob, plain(media.mediaId))).status).toBe(404);
    expect((await fetched(bob, plain(media.mediaId), { token: false })).status).toBe(401);
    expect((await fetched(bob, `${media.url}x`, { token: false })).status).toBe(401);
    expect((await fetched(bob, media.url.replace(ada.userId, bob.userId), { token: false })).status).toBe(401);
    expect(await bob.rest.refusal('GET', plain(randomUUID()))).toBe('404 not_found');
    expect(await bob.rest.refusal('GET', plain(media.mediaId))).toBe('404 not_found');
    expect(await bob.rest.refusal('GET', `${plain('..%2f..%2fsecret')}`)).toMatch(/^40[04] /);
  });

  it('is given in parts, and not again to who has it', async () => {
    const media = await upload(ada, { bytes: picture });
    const part = await fetched(ada, media.url, { headers: { range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${picture.length}`]);
    expect(part.bytes.equals(picture.subarray(10, 20))).toBe(true);
    const tail = await fetched(ada, media.url, { headers: { range: 'bytes=-7' } });
    expect(tail.bytes.equals(picture.subarray(-7))).toBe(true);
    const beyond = await fetched(ada, media.url, { headers: { range: `bytes=${picture.length}-` } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${picture.length}`]);
    const many = await fetched(ada, media.url, { headers: { range: `bytes=${'0-0,'.repeat(102)}1-1` } });
    expect([many.status, many.bytes.length]).toEqual([200, picture.length]);
    const known = await fetched(ada, media.url, { headers: { 'if-none-match': part.headers.get('etag') ?? '' } });
    expect([known.status, known.bytes.length]).toEqual([304, 0]);
    for (const range of ['', 'bytes=10-19', `bytes=${picture.length}-`]) {
      const head = await fetched(ada, media.url, { method: 'HEAD', headers: range === '' ? {} : { range } });
      expect([head.status, head.headers.get('content-length')], range).toEqual([200, String(picture.length)]);
    }
  });
});

describe('a part of a file', () => {
  it('is given where it belongs to the file that the client has, and the whole file otherwise', async () => {
    const media = await upload(ada, { bytes: picture });
    const ask = (ifRange: string, range = 'bytes=0-4') =>
      fetched(ada, media.url, { headers: { range, 'if-range': ifRange } });
    const etag = (await fetched(ada, media.url)).headers.get('etag') ?? '';
    const same = await ask(etag);
    expect([same.status, same.bytes.length]).toEqual([206, 5]);
    for (const other of ['"other"', `W/${etag}`, etag.slice(1, -1), new Date().toUTCString()]) {
      const whole = await ask(other);
      expect([whole.status, whole.headers.get('content-range')], other).toEqual([200, null]);
      expect(whole.bytes.equals(picture), other).toBe(true);
    }
    const beyond = `bytes=${picture.length}-`;
    expect([(await ask(etag, beyond)).status, (await ask('"other"', beyond)).status]).toEqual([416, 200]);
  });
});

describe('a picture', () => {
  it('gets a thumbnail, turned upright, without what the camera wrote into it', async () => {
    const bytes = await phonePicture(900, 600);
    expect((await sharp(bytes).metadata()).exif).toBeDefined();
    const media = await upload(ada, { bytes, fileName: 'Ürlaub 1.jpg', type: 'image/jpeg' });
    expect(media).toMatchObject({ width: 600, height: 900 });
    const { status, headers, bytes: small } = await fetched(ada, media.thumbnailUrl ?? '', { token: false });
    expect([status, headers.get('content-type')]).toEqual([200, 'image/webp']);
    const { width, height, exif, orientation } = await sharp(small).metadata();
    expect([width, height, exif, orientation]).toEqual([213, 320, undefined, undefined]);
  });

  it('that is large gets one for screens', async () => {
    const media = await upload(ada, { bytes: await pictureBytes(2_400, 1_200, 'jpeg'), fileName: 'a.jpg' });
    const { bytes } = await fetched(ada, media.screenUrl ?? '');
    const { width, height, format } = await sharp(bytes).metadata();
    expect([width, height, format]).toEqual([1_600, 800, 'webp']);
  });
});

describe('a message with media', () => {
  it('shows them to its members, live, in history, in sync and over each door, and to nobody else', async () => {
    const { conversationId } = await ada.group([bob]);
    const media = await upload(ada, { bytes: picture });
    const bobs = await bob.connect();
    const sent = await ada.send(conversationId, '', { contentType: 'image', mediaIds: [media.mediaId] });
    expect(sent).toMatchObject({
      content: '',
      media: [{ mediaId: media.mediaId, width: 640, fileName: 'engine.png' }],
    });
    const live = MessageSchema.parse(await bobs.waitFor('new_message'));
    const [inHistory] = (await bob.history(conversationId)).items;
    const cursors = [{ conversationId, afterSeq: 0 }];
    const [synced] = (await bob.sync({ cursors })).conversations;
    const single = await bob.message(conversationId, sent.messageId);
    for (const message of [live, inHistory, synced?.messages[0], single]) {
      const { url = '', thumbnailUrl } = message?.media[0] ?? {};
      expect(url).toContain(`viewer=${bob.userId}`);
      expect((await fetched(bob, url, { token: false })).bytes.equals(picture)).toBe(true);
      expect((await fetched(bob, thumbnailUrl ?? '', { token: false })).status).toBe(200);
    }
    expect((await fetched(bob, plain(media.mediaId))).status).toBe(200);
    expect((await fetched(cat, plain(media.mediaId))).status).toBe(404);
    expect((await bob.conversation(conversationId)).lastMessage?.preview).toBe('Photo');
  });

  it('sends over the socket as over REST, and again with the same clientMsgId as the same message', async () => {
    const { conversationId } = await ada.group([bob]);
    const { mediaId } = await upload(ada, { bytes: picture });
    const other = await upload(ada, { bytes: Buffer.from('notes'), fileName: 'notes.txt', type: 'text/plain' });
    const adas = await ada.connect();
    const clientMsgId = randomUUID();
    const payload = { conversationId, content: '', clientMsgId, mediaIds: [mediaId, other.mediaId] };
    expect(await adas.ask('send_message', payload)).toMatchObject({ duplicate: false });
    expect(await adas.ask('send_message', payload)).toMatchObject({ duplicate: true });
    const changed = { ...payload, mediaIds: [mediaId] };
    const path = `/v1/conversations/${conversationId}/messages`;
    const { conversationId: _, ...body } = changed;
    expect(await ada.rest.refusal('POST', path, body)).toBe('409 client_msg_id_reused');
    expect((await bob.history(conversationId)).items[0]?.media.map((media) => media.mediaId)).toEqual(payload.mediaIds);
    expect((await bob.conversation(conversationId)).lastMessage?.preview).toBe('2 files');
  });

  it('takes nothing of others: what one may not see does not exist', async () => {
    const { conversationId } = await ada.group([bob]);
    const { mediaId } = await upload(cat, { bytes: picture });
    const path = `/v1/conversations/${conversationId}/messages`;
    const body = { content: '', clientMsgId: randomUUID(), mediaIds: [mediaId] };
    expect(await ada.rest.refusal('POST', path, body)).toBe('404 not_found');
    expect(await ada.rest.refusal('POST', path, { ...body, mediaIds: [randomUUID()] })).toBe('404 not_found');
    expect(await ada.rest.refusal('POST', path, { ...body, mediaIds: [] })).toBe('400 validation_failed content:empty');
    expect((await ada.history(conversationId)).items).toEqual([]);
  });

  it('may be sent on by those who see it, and is then for those who get it', async () => {
    const [first, second] = [await ada.group([bob]), await bob.group([cat])];
    const { mediaId } = await upload(ada, { bytes: picture });
    await ada.send(first.conversationId, 'Look', { mediaIds: [mediaId] });
    await bob.send(second.conversationId, 'From Ada', { mediaIds: [mediaId] });
    expect((await fetched(cat, plain(mediaId))).status).toBe(200);
  });

  it('shows them to nobody who has left, by a link that was given before either', async () => {
    const { conversationId } = await ada.group([bob]);
    const { mediaId } = await upload(ada, { bytes: picture });
    const { messageId } = await ada.send(conversationId, '', { mediaIds: [mediaId] });
    const link = (await bob.message(conversationId, messageId)).media[0]?.url ?? '';
    expect((await fetched(bob, link, { token: false })).status).toBe(200);
    await ada.members(conversationId, { remove: [bob.userId] });
    expect((await fetched(bob, link, { token: false })).status).toBe(404);
    expect((await fetched(bob, plain(mediaId))).status).toBe(404);
    // Back again, Bob sees what is sent from now on.
    await ada.members(conversationId, { add: [bob.userId] });
    expect((await fetched(bob, plain(mediaId))).status).toBe(404);
  });

  it('keeps them when its text is edited away, over either door', async () => {
    const { conversationId } = await ada.group([bob]);
    const { mediaId } = await upload(ada, { bytes: picture });
    const { messageId } = await ada.send(conversationId, 'A caption', { mediaIds: [mediaId] });
    const path = `/v1/conversations/${conversationId}/messages/${messageId}`;
    const [adas, bobs] = await Promise.all([ada.connect(), bob.connect()]);
    const preview = async () => (await bob.conversation(conversationId)).lastMessage?.preview;
    const edited = await ada.rest.want(200, MessageSchema, 'PATCH', path, { content: '' });
    expect(edited).toMatchObject({ content: '', media: [{ mediaId }], editedAt: expect.any(String) as string });
    expect(await bobs.waitFor('message_updated', ({ rev }) => rev === edited.rev)).toMatchObject({
      content: '',
      media: [{ mediaId }],
    });
    expect(await preview()).toBe('Photo');
    await ada.rest.want(200, MessageSchema, 'PATCH', path, { content: 'Another caption' });
    expect(await preview()).toBe('Another caption');
    const place = { conversationId, messageId };
    const { message } = await adas.ask('edit_message', { ...place, content: '\u200B' });
    expect(message).toMatchObject({ content: '\u200B', media: [{ mediaId }] });
    expect(await ada.rest.refusal('PATCH', path, { content: 'a\0' })).toMatch(/content:invalid_character$/);
    expect(await bob.rest.refusal('PATCH', path, { content: '' })).toBe('403 forbidden');
    expect(await cat.rest.refusal('PATCH', path, { content: '' })).toBe('404 not_found');
    await ada.rest.want(200, MessageSchema, 'DELETE', path);
    expect(await ada.rest.refusal('PATCH', path, { content: '' })).toBe('409 conflict');
  });

  it('that is deleted takes them along', async () => {
    const { conversationId } = await ada.group([bob]);
    const { mediaId } = await upload(ada, { bytes: picture });
    const { messageId } = await ada.send(conversationId, '', { mediaIds: [mediaId] });
    expect((await fetched(bob, plain(mediaId))).status).toBe(200);
    const path = `/v1/conversations/${conversationId}/messages/${messageId}`;
    expect((await ada.rest.want(200, MessageSchema, 'DELETE', path)).media).toEqual([]);
    expect((await fetched(bob, plain(mediaId))).status).toBe(404);
    expect((await fetched(ada, plain(mediaId))).status).toBe(200);
  });
});

describe('an avatar', () => {
  it('is an own picture, and shown to every signed-in user while it is one', async () => {
    const { mediaId } = await upload(ada, { bytes: picture });
    const changed = await ada.rest.call('PATCH', '/v1/users/me', { body: { avatarMediaId: mediaId } });
    const { avatarUrl } = changed.json as { avatarUrl: string };
    const shown = await fetched(cat, avatarUrl, { token: false });
    // The small picture, without what a camera wrote into the original.
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/webp']);
    expect((await fetched(cat, plain(mediaId))).status).toBe(200);
    expect((await fetched(cat, plain(mediaId), { token: false })).status).toBe(401);
    const seen = await cat.rest.call('GET', `/v1/users/${ada.userId}`);
    expect(seen.json).toMatchObject({ avatarUrl });
    await ada.rest.call('PATCH', '/v1/users/me', { body: { avatarMediaId: null } });
    expect((await fetched(cat, avatarUrl, { token: false })).status).toBe(404);
    expect((await fetched(cat, plain(mediaId))).status).toBe(404);
  });

  it('is its owner’s alone to send, however many see it', async () => {
    const { conversationId } = await bob.group([cat]);
    const { mediaId } = await upload(ada, { bytes: picture });
    await ada.rest.call('PATCH', '/v1/users/me', { body: { avatarMediaId: mediaId } });
    expect((await fetched(bob, plain(mediaId))).status).toBe(200);
    const body = { content: '', clientMsgId: randomUUID(), mediaIds: [mediaId] };
    const path = `/v1/conversations/${conversationId}/messages`;
    expect(await bob.rest.refusal('POST', path, body)).toBe('404 not_found');
    const bobs = await bob.connect();
    expect(await bobs.refusal('send_message', { conversationId, ...body })).toContain('not_found');
    expect(await bob.rest.refusal('PATCH', '/v1/users/me', { avatarMediaId: mediaId })).toBe('404 not_found');
    // Once it was sent to somebody by its owner, it may be sent on like everything else.
    const { conversationId: shared } = await ada.group([bob]);
    await ada.send(shared, '', { mediaIds: [mediaId] });
    expect((await bob.send(conversationId, '', { mediaIds: [mediaId] })).media).toMatchObject([{ mediaId }]);
    await ada.rest.call('PATCH', '/v1/users/me', { body: { avatarMediaId: null } });
  });

  it('is neither another’s nor a file that is no picture', async () => {
    const own = await upload(bob, { bytes: Buffer.from('text'), fileName: 'a.txt', type: 'text/plain' });
    const adas = await upload(ada, { bytes: picture });
    const refusal = (avatarMediaId: string) => bob.rest.refusal('PATCH', '/v1/users/me', { avatarMediaId });
    expect(await refusal(adas.mediaId)).toBe('404 not_found');
    expect(await refusal(own.mediaId)).toBe('400 validation_failed avatarMediaId:not_a_picture');
  });
});
