import { once } from 'node:events';
import { request as rawRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSentMessage, SendMessage } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CALLER, openRestDoor, type RestDoor } from '../rest-door.testing.js';

const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';
const PATH = `/v1/conversations/${CONVERSATION}/messages`;
const STORED = { status: 'stored', messageId: '764123456789012480', seq: 1, rev: 2, timestamp: 'x', duplicate: false };

let door: RestDoor;
let port: number;
let sent: SendMessage[];

beforeAll(async () => {
  door = await openRestDoor();
  await door.app.listen(0, '127.0.0.1');
  port = (door.app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => door.close());
beforeEach(() => {
  sent = [];
  door.answers.set(SendMessage, (command: SendMessage) => {
    sent.push(command);
    return STORED;
  });
  door.answers.set(GetSentMessage, () => ({ messageId: STORED.messageId }));
});

async function post(payload: string | Buffer, headers: Record<string, string> = {}) {
  return door.app.inject({
    method: 'POST',
    url: PATH,
    payload,
    headers: { authorization: `Bearer ${CALLER}`, 'content-type': 'application/json', ...headers },
  });
}

function body(fields: object = {}): string {
  return JSON.stringify({ content: 'Hello', clientMsgId: 'one', ...fields });
}

/** Over a real connection: what a client sees of an answer that comes while it still sends. */
function upload(bytes: Buffer, headers: Record<string, string> = {}, path = PATH) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const options = { port, method: 'POST', path, headers: { 'content-type': 'application/json', ...headers } };
    const outgoing = rawRequest(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

describe('JSON that is refused, and never reaches a handler', () => {
  it.each([
    ['truncated', '{"content":"a","clientMs', 'invalid_json'],
    ['an array', '[]', 'invalid_type'],
    ['a text', '"hello"', 'invalid_type'],
    ['null', 'null', 'invalid_type'],
    ['a number', '1', 'invalid_type'],
    ['nothing', '', 'required'],
    ['200,000 levels deep', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, 'too_deep'],
    ['an own __proto__', '{"__proto__":{"a":1},"content":"a","clientMsgId":"x"}', 'unknown_field'],
    ['a constructor', '{"constructor":{},"content":"a","clientMsgId":"x"}', 'unknown_field'],
    ['an unknown field', body({ senderId: CALLER }), 'unknown_field'],
    ['a field twice', '{"content":"a","content":"b","clientMsgId":"x"}', 'duplicate_key'],
    ['an array for a text', body({ content: ['a'] }), 'invalid_type'],
    ['1e999 for a text', '{"content":1e999,"clientMsgId":"x"}', 'invalid_type'],
    ['an object for a text', body({ content: { toString: 'x' } }), 'invalid_type'],
    ['a text for a list', body({ mediaIds: CALLER }), 'invalid_type'],
    ['a lone surrogate', '{"content":"\\ud800","clientMsgId":"x"}', 'invalid_unicode'],
    ['a NUL', '{"content":"a\\u0000b","clientMsgId":"x"}', 'invalid_character'],
    ['nothing visible', body({ content: '\u200b\u200d\ufeff' }), 'empty'],
    ['only blanks', body({ content: ' \n\t\u3000' }), 'empty'],
    ['100,001 code points', body({ content: '😀'.repeat(100_001) }), 'too_long'],
    ['no clientMsgId', '{"content":"a"}', 'required'],
    ['a clientMsgId of 36 KB', body({ clientMsgId: 'x'.repeat(36_000) }), 'invalid_format'],
  ])('%s', async (_, payload, code) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.json()).toMatchObject({ code: 'validation_failed', retryable: false });
    expect(answer.json().errors.map((error: { code: string }) => error.code)).toContain(code);
    expect(sent).toEqual([]);
  });

  it('bytes that are no UTF-8', async () => {
    const answer = await post(Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xff]), Buffer.from('"}')]));
    expect(answer.json().errors).toMatchObject([{ code: 'invalid_unicode' }]);
    expect(sent).toEqual([]);
  });
});

describe('text that is taken exactly as it was sent', () => {
  it.each([
    ['100,000 emoji', '😀'.repeat(100_000)],
    ['bidi controls', '\u202eabc\u202c \u2066x\u2069'],
    ['99,999 combining marks', `a${'\u0301'.repeat(99_999)}`],
    ['a script tag', '<script>alert(1)</script>'],
    ['spaces around', '  a  '],
    ['the word of a prototype', '__proto__'],
  ])('%s', async (_, content) => {
    const answer = await post(body({ content }));
    expect(answer.statusCode).toBe(201);
    expect(sent[0]?.payload.content === content).toBe(true);
  });
});

describe('the kind of body', () => {
  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])(
    '%s is refused as unsupported',
    async (type) => {
      const answer = await post(body(), { 'content-type': type });
      expect(answer.statusCode).toBe(415);
      expect(answer.json()).toMatchObject({ code: 'unsupported_media_type', status: 415 });
      expect(sent).toEqual([]);
    },
  );

  it('a body that names no type is refused as unsupported', async () => {
    const answer = await upload(Buffer.from(body()), { authorization: `Bearer ${CALLER}`, 'content-type': '' });
    expect(answer.status).toBe(415);
  });

  it('JSON with a charset is taken', async () => {
    expect((await post(body(), { 'content-type': 'application/json; charset=utf-8' })).statusCode).toBe(201);
  });

  it.each(['gzip', 'br', 'Deflate', 'identity, gzip'])('a body that is encoded (%s) is refused', async (encoding) => {
    const answer = await post(body(), { 'content-encoding': encoding });
    expect(answer.statusCode).toBe(415);
    expect(answer.json()).toMatchObject({ code: 'unsupported_media_type' });
    expect(sent).toEqual([]);
    expect((await post(body(), { 'content-encoding': 'Identity' })).statusCode).toBe(201);
  });

  it('a body where none is taken is refused unless it is empty', async () => {
    const url = `${PATH}/764123456789012480`;
    const headers = { authorization: `Bearer ${CALLER}`, 'content-type': 'application/json' };
    const refused = await door.app.inject({ method: 'DELETE', url, headers, payload: '{"force":true}' });
    expect(refused.json()).toMatchObject({ code: 'validation_failed', errors: [{ path: 'force' }] });
    const { DeleteMessage } = await import('@parley/domain');
    door.answers.set(DeleteMessage, () => ({ deleted: true }));
    for (const payload of ['', '{}']) {
      expect((await door.app.inject({ method: 'DELETE', url, headers, payload })).statusCode).toBe(200);
    }
  });
});

describe('a body whose client goes away before its end', () => {
  it('is no fault of the server: nothing of it is logged above debug', async () => {
    const arrived = once(door.app.getHttpServer(), 'request') as Promise<[IncomingMessage, ServerResponse]>;
    const headers = { authorization: `Bearer ${CALLER}`, 'content-type': 'application/json', 'content-length': '1000' };
    const outgoing = rawRequest({ port, method: 'POST', path: PATH, headers });
    outgoing.on('error', () => {});
    outgoing.write(body().slice(0, 10));
    const [, response] = await arrived;
    outgoing.destroy();
    await expect.poll(() => response.statusCode, { timeout: 5_000 }).toBe(400);
    expect(door.log).toEqual([]);
    expect(sent).toEqual([]);
  });
});

describe('a body that is too large', () => {
  it('is answered payload_too_large over a real connection, also where the client sends it all', async () => {
    const password = Buffer.from(`{"username":"ada","password":"${'x'.repeat(10_000_000)}"}`);
    for (const [path, bytes] of [
      [PATH, Buffer.from(body({ content: 'x'.repeat(1_600_000) }))],
      ['/v1/auth/login', password],
    ] as const) {
      const answer = await upload(bytes, { authorization: `Bearer ${CALLER}` }, path);
      expect(answer.status).toBe(413);
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'payload_too_large' });
    }
    expect(sent).toEqual([]);
  });

  it('is found without a content-length too', async () => {
    const chunked = { authorization: `Bearer ${CALLER}`, 'transfer-encoding': 'chunked' };
    expect((await upload(Buffer.alloc(1_500_001, ' '), chunked)).status).toBe(413);
  });

  it('is one byte above the limit; at the limit it is read', async () => {
    const text = body();
    const atLimit = Buffer.from(text + ' '.repeat(1_500_000 - text.length));
    expect((await upload(atLimit, { authorization: `Bearer ${CALLER}` })).status).toBe(201);
    const above = Buffer.concat([atLimit, Buffer.from(' ')]);
    expect((await upload(above, { authorization: `Bearer ${CALLER}` })).status).toBe(413);
  });
});
