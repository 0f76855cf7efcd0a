import { connect, type AddressInfo } from 'node:net';
import { ERROR_CODES, type ErrorCode, ProblemSchema } from '@parley/contracts';
import { DomainError, GetConversation, GetHistory, GetMessage, ListConversations, SearchUsers } from '@parley/domain';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CALLER, openRestDoor, type RestDoor } from '../rest-door.testing.js';

const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';

let door: RestDoor;
beforeAll(async () => {
  door = await openRestDoor();
});
afterAll(() => door.close());
afterEach(() => {
  door.answers.clear();
  door.log.length = 0;
});

function get(url: string, headers: Record<string, string> = { authorization: `Bearer ${CALLER}` }) {
  return door.app.inject({ url, headers });
}

describe('a refusal', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s is a problem document with its status', async (code) => {
    door.answers.set(GetConversation, () => {
      throw new DomainError(code, 'because', { errors: [{ path: 'a', code: 'b', message: 'c' }] });
    });
    const answer = await get(`/v1/conversations/${CONVERSATION}`);
    const { status, retryable, title } = ERROR_CODES[code];
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const problem = ProblemSchema.parse(answer.json());
    expect(problem).toMatchObject({ code, status, retryable, title, detail: 'because', errors: [{ path: 'a' }] });
    expect(problem.requestId).toBe(answer.headers['x-request-id']);
  });

  it.each([
    ['rate_limited', 2_001, '3'],
    ['overloaded', 10, '1'],
    ['store_unavailable', undefined, '2'],
    ['rate_limited', undefined, '1'],
  ] as const)('%s says when to come back: %s ms', async (code, retryAfterMs, seconds) => {
    door.answers.set(GetConversation, () => {
      throw new DomainError(code, undefined, retryAfterMs === undefined ? {} : { retryAfterMs });
    });
    expect((await get(`/v1/conversations/${CONVERSATION}`)).headers['retry-after']).toBe(seconds);
  });

  it('for a bug tells the client nothing and the log everything', async () => {
    door.answers.set(GetConversation, () => {
      throw new Error('connect ECONNREFUSED 10.0.0.7:5432 password=hunter2');
    });
    const answer = await get(`/v1/conversations/${CONVERSATION}`);
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: 'internal', detail: 'Something went wrong on the server' });
    expect(answer.body).not.toMatch(/ECONNREFUSED|hunter2|\.ts/);
    expect(door.log.join()).toContain('ECONNREFUSED');
    expect(door.log.join()).toContain('/v1/conversations/:conversationId');
    expect(door.log.join()).not.toContain(CONVERSATION);
  });

  it('for an error with a status of somebody else is a bug all the same', async () => {
    door.answers.set(GetConversation, () => {
      throw Object.assign(new Error('from some library'), { statusCode: 404 });
    });
    expect((await get(`/v1/conversations/${CONVERSATION}`)).statusCode).toBe(500);
  });
});

describe('a token', () => {
  it.each([
    ['none', {}, 'unauthenticated'],
    ['another scheme', { authorization: 'Basic YTpi' }, 'unauthenticated'],
    ['garbage', { authorization: 'Bearer garbage' }, 'unauthenticated'],
    ['one that has run out', { authorization: 'Bearer expired' }, 'token_expired'],
    ['one whose session has ended', { authorization: 'Bearer revoked' }, 'session_revoked'],
  ])('%s is answered 401', async (_, headers, code) => {
    const answer = await get('/v1/conversations', headers as Record<string, string>);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ code });
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('that is met for the first time is taken', async () => {
    door.answers.set(ListConversations, ({ userId }: ListConversations) => ({ items: [userId], nextCursor: null }));
    const answer = await get('/v1/conversations', { authorization: `Bearer late:${CALLER}` });
    expect(answer.json()).toEqual({ items: [CALLER], nextCursor: null });
  });
});

describe('a path', () => {
  it.each(['/nope', '/v1', '/v1/', '/v1/nope', '/v1/conversations/', `/v1/conversations/${CONVERSATION}/nope`, '//'])(
    '%s that nobody serves is not found, as a problem document',
    async (url) => {
      const answer = await get(url);
      expect(answer.statusCode).toBe(404);
      expect(ProblemSchema.parse(answer.json()).code).toBe('not_found');
    },
  );

  it.each(['DELETE', 'PUT', 'POST'] as const)('is not found for a method that it does not have: %s', async (method) => {
    const headers = { authorization: `Bearer ${CALLER}` };
    const answer = await door.app.inject({ method, url: `/v1/conversations/${CONVERSATION}`, headers });
    expect(answer.statusCode).toBe(404);
    expect(ProblemSchema.parse(answer.json()).code).toBe('not_found');
  });

  it.each([
    'x',
    '../users',
    '..%2f..%2fusers',
    '%00',
    `${CONVERSATION}%00`,
    "1'%20OR%20'1'='1",
    '%ff',
    '%zz',
    'x'.repeat(500),
    'x'.repeat(10_000),
    `${CONVERSATION} `.trim() + 'a',
    '__proto__',
    'constructor',
  ])('with the id %s reaches no query', async (id) => {
    const answer = await get(`/v1/conversations/${id}`);
    expect([400, 404, 414]).toContain(answer.statusCode);
    expect(['validation_failed', 'not_found']).toContain(ProblemSchema.parse(answer.json()).code);
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });

  it.each(['0', '-1', '01', '1e3', '9223372036854775808', '99999999999999999999', 'abc', '1.5', '%20'])(
    'with the message id %s reaches no query',
    async (id) => {
      const answer = await get(`/v1/conversations/${CONVERSATION}/messages/${id}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json().errors[0]).toMatchObject({ path: 'messageId' });
    },
  );

  it('takes an id in upper case as the same one', async () => {
    door.answers.set(GetMessage, (query: GetMessage) => ({ asked: query.conversationId }));
    const answer = await get(`/v1/conversations/${CONVERSATION.toUpperCase()}/messages/9223372036854775807`);
    expect(answer.json()).toEqual({ asked: CONVERSATION });
  });
});

describe('a query', () => {
  const history = `/v1/conversations/${CONVERSATION}/messages`;

  it.each(['limit=0', 'limit=-1', 'limit=1e9', 'limit=101', 'limit=abc', 'limit=', 'limit=1.5', 'limit=5&limit=6'])(
    '%s is refused',
    async (query) => {
      const answer = await get(`${history}?${query}`);
      expect(answer.statusCode).toBe(400);
      expect(answer.json().errors).toMatchObject([{ path: 'limit' }]);
    },
  );

  it.each([
    [`${history}?limt=5`, 'limt'],
    [`/v1/conversations/${CONVERSATION}?verbose=1`, 'verbose'],
    ['/v1/users/me?x=', 'x'],
    [`${history}?__proto__=x`, '__proto__'],
    [`/v1/conversations/${CONVERSATION}?constructor=x`, 'constructor'],
    ['/v1/connect?regoin=eu', 'regoin'],
  ])('with an unknown parameter is refused: %s', async (url, path) => {
    const answer = await get(url);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toMatchObject([{ path, code: 'unknown_field' }]);
  });

  it('with two places at once is refused', async () => {
    const answer = await get(`${history}?before=5&after=6`);
    expect(answer.json().errors).toMatchObject([{ code: 'exclusive' }]);
  });

  it('with a cursor of 64 KB is refused by name', async () => {
    await door.app.listen(0, '127.0.0.1');
    const { port } = door.app.getHttpServer().address() as AddressInfo;
    const url = `http://127.0.0.1:${port}${history}?cursor=${'x'.repeat(65_536)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${CALLER}` } });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ path: 'cursor', code: 'too_long' }] });
  });

  it('hands what it says to the handler, typed', async () => {
    door.answers.set(GetHistory, ({ query }: GetHistory) => {
      expect(query).toEqual({ around: 'first_unread', limit: 7 });
      return { items: [], nextCursor: null, hasBefore: false, hasAfter: false };
    });
    door.answers.set(ListConversations, ({ query }: ListConversations) => query);
    door.answers.set(SearchUsers, ({ query }: SearchUsers) => query);
    expect((await get(`${history}?around=first_unread&limit=7`)).statusCode).toBe(200);
    expect((await get('/v1/conversations?archived=false')).json()).toEqual({ archived: false, limit: 50 });
    expect((await get('/v1/users?search=a%20b&limit=1')).json()).toEqual({ search: 'a b', limit: 1 });
  });
});

describe('bytes that are no request', () => {
  async function exchange(bytes: string): Promise<string> {
    const server = door.app.getHttpServer();
    if (!server.listening) await door.app.listen(0, '127.0.0.1');
    return new Promise((resolve, reject) => {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes));
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.on('close', () => resolve(text)).on('error', reject);
    });
  }

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['headers of 200 KB', `GET / HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(200_000)}\r\n\r\n`],
    ['two lengths', 'POST /v1/sync HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
  ])('%s are answered with a problem document and closed', async (_, bytes) => {
    const answer = await exchange(bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    const text = answer.slice(answer.indexOf('\r\n\r\n') + 4);
    expect(ProblemSchema.parse(JSON.parse(text)).code).toBe('validation_failed');
    expect((await get('/v1/connect')).statusCode).toBe(200);
  });

  it('a request without a Host is refused with a problem document that has its id', async () => {
    const answer = await exchange('GET /v1/connect HTTP/1.1\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('application/problem+json');
    const problem = ProblemSchema.parse(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)));
    expect(problem).toMatchObject({ code: 'validation_failed', detail: 'A request of HTTP/1.1 names its Host' });
    expect(answer).toContain(`x-request-id: ${problem.requestId}`);
    expect(await exchange('GET /asyncapi.json HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('a request that expects what nobody knows is answered as any other', async () => {
    const head = 'GET /asyncapi.json HTTP/1.1\r\nhost: x\r\nexpect: foo\r\nconnection: close\r\n\r\n';
    expect(await exchange(head)).toMatch(/^HTTP\/1\.1 200 /);
  });
});
