import { ListConversations } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLER, openRestDoor, type RestDoor } from '../rest-door.testing.js';

let closed: RestDoor;
let open: RestDoor;
let listed: RestDoor;
beforeAll(async () => {
  closed = await openRestDoor();
  open = await openRestDoor({ settings: { allowedOrigins: ['*'] } });
  listed = await openRestDoor({ settings: { allowedOrigins: ['https://app.example', 'http://localhost:5173'] } });
  for (const { answers } of [closed, open, listed]) {
    answers.set(ListConversations, () => ({ items: [], nextCursor: null }));
  }
});
afterAll(() => Promise.all([closed, open, listed].map((door) => door.close())));

describe('every answer', () => {
  it.each(['/', '/asyncapi', '/docs', '/docs-json', '/v1/conversations', '/nope', '/v1/%zz'])(
    'forbids sniffing, framing and foreign parts: %s',
    async (url) => {
      const { headers } = await closed.app.inject(url);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['x-frame-options']).toBe('DENY');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers['x-request-id']).toBeTruthy();
    },
  );

  it('about an account is kept by no cache', async () => {
    const headers = { authorization: `Bearer ${CALLER}` };
    const answer = await closed.app.inject({ url: '/v1/conversations', headers });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('carries the id of its request, the one that the caller gave if it is sane', async () => {
    const given = await closed.app.inject({ url: '/nope', headers: { 'x-request-id': 'edge-7' } });
    expect(given.headers['x-request-id']).toBe('edge-7');
    expect(given.json().requestId).toBe('edge-7');
    const made = await closed.app.inject({ url: '/nope', headers: { 'x-request-id': 'a\tb' } });
    expect(made.headers['x-request-id']).not.toBe('a\tb');
  });
});

describe('a page of another origin', () => {
  const preflight = (door: RestDoor, origin: string) =>
    door.app.inject({
      method: 'OPTIONS',
      url: '/v1/conversations',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
  const read = (door: RestDoor, origin: string) =>
    door.app.inject({ url: '/v1/conversations', headers: { origin, authorization: `Bearer ${CALLER}` } });

  it('may neither ask nor read unless it is listed', async () => {
    for (const door of [closed, listed]) {
      const asked = await preflight(door, 'https://evil.example');
      const answer = await read(door, 'https://evil.example');
      expect(asked.statusCode).toBe(404);
      for (const { headers } of [asked, answer]) expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    expect((await read(listed, 'https://app.example.evil.example')).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    expect((await read(listed, 'null')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each(['https://app.example', 'http://localhost:5173'])('that is listed may: %s', async (origin) => {
    const asked = await preflight(listed, origin);
    expect(asked.statusCode).toBe(204);
    expect(asked.headers['access-control-allow-methods']).toBe('GET, POST, PUT, PATCH, DELETE');
    expect(asked.headers['access-control-allow-headers']).toContain('authorization');
    const answer = await read(listed, origin);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['vary']).toBe('Origin');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('reads refusals too, with the time to wait and the id of the request', async () => {
    const answer = await listed.app.inject({ url: '/v1/conversations', headers: { origin: 'https://app.example' } });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(answer.headers['access-control-expose-headers']).toMatch(
      /^x-request-id, retry-after, location, tus-resumable, upload-length, /,
    );
  });

  it('may from anywhere where all are allowed', async () => {
    const answer = await read(open, 'https://anything.example');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });
});
