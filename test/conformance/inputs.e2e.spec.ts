import { randomUUID } from 'node:crypto';
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemOf, refusalText, type RestRequest } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let path: string;
beforeAll(async () => {
  app = await TestApp.start();
  ada = await app.user();
  path = `/v1/conversations/${(await ada.group([])).conversationId}/messages`;
});
afterAll(() => app.stop());

const post = (request: RestRequest) => ada.rest.call('POST', path, request);
const refusal = async (rawBody: string) => refusalText(await post({ rawBody }));

describe('a body', () => {
  it.each([
    ['truncated', '{"content":"x"'],
    ['empty', ''],
    ['not JSON', 'hello'],
    ['an array', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['two values', '{}{}'],
    ['a trailing comma', '{"content":"x",}'],
    ['single quotes', "{'content':'x'}"],
    ['NaN', '{"content":NaN}'],
    ['1e999', '{"content":"x","clientMsgId":1e999}'],
    ['a comment', '{/* */}'],
  ])('that is %s is refused', async (_, rawBody) => {
    expect(await refusal(rawBody)).toMatch(/^400 validation_failed/);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString'])('with the key %s is refused', async (key) => {
    expect(await refusal(`{"content":"x","clientMsgId":"p","${key}":{"polluted":true}}`)).toMatch(
      /^400 validation_failed/,
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('with a key twice is refused', async () => {
    expect(await refusal('{"content":"x","content":"y","clientMsgId":"d"}')).toMatch(/^400 validation_failed/);
  });

  it.each([17, 200_000])('that is %i levels deep is refused as too deep', async (levels) => {
    const nested = '['.repeat(levels) + ']'.repeat(levels);
    expect(await refusal(`{"content":${nested},"clientMsgId":"n"}`)).toMatch(/^400 validation_failed .*too_deep$/);
  });

  it('of more than 1.5 MB is too large, by whatever door', async () => {
    const body = { content: 'x'.repeat(1_600_000), clientMsgId: 'l' };
    expect(refusalText(await post({ body }))).toBe('413 payload_too_large');
    const signup = { username: 'someone', displayName: 'x', password: 'x'.repeat(10_000_000) };
    expect(await ada.rest.refusal('POST', '/v1/auth/signup', signup)).toBe('413 payload_too_large');
  });

  it('that is not UTF-8 is refused', async () => {
    const rawBody = new Uint8Array([
      ...Buffer.from('{"content":"'),
      0xff,
      0xfe,
      ...Buffer.from('","clientMsgId":"u"}'),
    ]);
    expect(refusalText(await post({ rawBody }))).toMatch(/^400 validation_failed/);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data; boundary=x'])(
    'of the type %s is not supported',
    async (type) => {
      const answer = await post({ rawBody: '{"content":"x","clientMsgId":"t"}', headers: { 'content-type': type } });
      expect(refusalText(answer)).toBe('415 unsupported_media_type');
    },
  );

  it('with a charset and odd case of its type is taken', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=UTF-8' };
    expect((await post({ rawBody: `{"content":"x","clientMsgId":"${randomUUID()}"}`, headers })).status).toBe(201);
  });

  it('lists everything that is wrong with it, with paths', async () => {
    const { errors, detail } = problemOf(
      await post({ body: { content: 17, clientMsgId: '', mediaIds: ['x'], extra: 1 } }),
    );
    const paths = (errors ?? []).map((error) => error.path);
    for (const at of ['content', 'clientMsgId', 'mediaIds.0', 'extra']) expect(paths).toContain(at);
    expect(detail).not.toBe('');
  });

  it('where none is asked for is refused', async () => {
    const answer = await ada.rest.call('GET', '/v1/users/me?verbose=1');
    expect(refusalText(answer)).toBe('400 validation_failed verbose:unknown_field');
  });
});

describe('a request that offers to change the protocol', () => {
  const H2C = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAoAAAAAIAAAAA' };
  const offered = (
    url: string,
    { method = 'GET', body, headers = {} }: { method?: string; body?: string; headers?: object } = {},
  ) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const authorization = `Bearer ${ada.rest.token}`;
      const outgoing = rawRequest(url, { method, headers: { authorization, ...H2C, ...headers } }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });

  it('to HTTP/2, as curl and Java do, is answered as any other, at every door', async () => {
    const me = await offered(`${app.url}/v1/users/me`);
    expect([me.status, (JSON.parse(me.text) as { userId: string }).userId]).toEqual([200, ada.userId]);
    for (const url of [app.url, ...app.gatewayUrls]) expect((await offered(`${url}/health/live`)).status).toBe(200);
  });

  it('with a body is carried out', async () => {
    const { conversationId } = await ada.group([]);
    const body = JSON.stringify({ content: 'over HTTP/1.1 all the same', clientMsgId: randomUUID() });
    const url = `${app.url}/v1/conversations/${conversationId}/messages`;
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    expect((await offered(url, { method: 'POST', body, headers })).status).toBe(201);
    const { items } = await ada.history(conversationId);
    expect(items.map(({ content }) => content)).toEqual(['over HTTP/1.1 all the same']);
  });

  it('to WebSocket is answered as any other where no sockets are, and sockets are opened where they are', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    expect((await offered(`${app.url}/v1/users/me`, { headers })).status).toBe(200);
    for (const transport of ['websocket', 'polling']) {
      const auth = { token: ada.rest.token, deviceId: randomUUID() };
      const socket = await TestSocket.connect(app.url, auth, { transports: [transport] });
      await socket.ask('heartbeat', { active: true });
      socket.close();
    }
  });
});

describe('a path', () => {
  it.each(['/v1/nothing', '/v1', '/nothing', '/v1/conversations/x/y/z', '/v1//users', '/V1/users/me', '/v1/users/me/'])(
    'that leads nowhere (%s) is not found',
    async (url) => {
      expect(await ada.rest.refusal('GET', url)).toMatch(/^(404 not_found|400 validation_failed)/);
    },
  );

  it.each([
    ['DELETE', '/v1/conversations'],
    ['PUT', '/v1/users/me'],
    ['PATCH', '/v1/sync'],
    ['POST', '/v1/users/me'],
  ])('is not found by another method: %s %s', async (method, url) => {
    expect(await ada.rest.refusal(method, url)).toMatch(/^(404 not_found|405)/);
  });

  it.each(['%', '%zz', '%c0%af', '%00', '..%2f..%2fetc%2fpasswd', '%2e%2e', "1'--", '<script>'])(
    'with %s in the place of an id is refused',
    async (id) => {
      for (const url of [`/v1/users/${id}`, `/v1/conversations/${id}`, `${path}/${id}`]) {
        expect(await ada.rest.refusal('GET', url), url).toMatch(/^(404 not_found|400 validation_failed)/);
      }
    },
  );

  it('of 20 KB is refused', async () => {
    const answer = await ada.rest.call('GET', `/v1/users/${'x'.repeat(20_000)}`);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  });
});

describe('an answer', () => {
  it('has the security headers and a request id, which a sane one of the caller becomes', async () => {
    const answer = await ada.rest.call('GET', '/v1/users/me', { headers: { 'x-request-id': 'mine-17' } });
    expect(answer.headers.get('x-request-id')).toBe('mine-17');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('x-powered-by')).toBeNull();
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    const odd = await ada.rest.call('GET', '/v1/users/me', { headers: { 'x-request-id': 'x'.repeat(5_000) } });
    expect(odd.headers.get('x-request-id')?.length).toBeLessThan(200);
  });

  it('with accounts in it is kept by no cache', async () => {
    expect((await ada.rest.call('GET', '/v1/users/me')).headers.get('cache-control') ?? '').toMatch(
      /no-store|private|no-cache/,
    );
  });

  it('gives no origin leave that was not configured', async () => {
    const answer = await ada.rest.call('GET', '/v1/users/me', { headers: { origin: 'https://evil.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('to nonsense instead of HTTP leaves the server alive', async () => {
    const { port } = new URL(app.url);
    await new Promise<void>((done) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.end('\x00\x01\x02 nonsense\r\n\r\n'));
      socket.on('error', () => {});
      socket.on('close', () => done());
      socket.resume();
    });
    expect((await ada.rest.call('GET', '/v1/users/me')).status).toBe(200);
  });

  it('was never a message: nothing that was refused is stored', async () => {
    const { items } = await ada.rest.call('GET', path).then(({ json }) => json as { items: { content: string }[] });
    expect(items.map(({ content }) => content)).toEqual(['x']);
  });
});
