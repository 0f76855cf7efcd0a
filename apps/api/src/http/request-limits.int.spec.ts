import { ListConversations, LogIn, type RateLimiter } from '@parley/domain';
import { MemoryRateLimiter } from '@parley/infra';
import { afterEach, describe, expect, it } from 'vitest';
import { CALLER, OTHER_CALLER, openRestDoor, type RestDoor, type RestDoorOptions } from '../rest-door.testing.js';

const MINUTE_MS = 60_000;
let door: RestDoor | undefined;
afterEach(() => door?.close());

async function open(options: RestDoorOptions = {}) {
  let nowMs = 0;
  const settings = {
    restPerUser: { limit: 3, windowMs: MINUTE_MS },
    restPerAddress: { limit: 2, windowMs: MINUTE_MS },
  };
  door = await openRestDoor({ limiter: new MemoryRateLimiter(() => nowMs), settings, ...options });
  door.answers.set(ListConversations, () => ({ items: [], nextCursor: null }));
  door.answers.set(LogIn, () => ({}));
  const { app } = door;
  const list = async (token: string | null, remoteAddress = '192.0.2.1', headers: Record<string, string> = {}) => {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    return app.inject({ url: '/v1/conversations', remoteAddress, headers: { ...authorization, ...headers } });
  };
  const statuses = async (times: number, ...request: Parameters<typeof list>) => {
    const seen: number[] = [];
    for (let count = 0; count < times; count++) seen.push((await list(...request)).statusCode);
    return seen;
  };
  return { app, list, statuses, pass: (ms: number) => (nowMs += ms) };
}

describe('requests with a token', () => {
  it('are counted for their user, from wherever they come, and allowed again after the window', async () => {
    const { statuses, list, pass } = await open();
    expect(await statuses(2, CALLER, '192.0.2.1')).toEqual([200, 200]);
    expect(await statuses(2, CALLER, '192.0.2.2')).toEqual([200, 429]);
    const refused = await list(CALLER);
    expect(refused.json()).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(await statuses(1, OTHER_CALLER)).toEqual([200]);
    pass(MINUTE_MS + 1);
    expect(await statuses(1, CALLER)).toEqual([200]);
  });

  it('that is met for the first time are counted for the user too, not for the address', async () => {
    const { statuses } = await open();
    expect(await statuses(4, `late:${CALLER}`)).toEqual([200, 200, 200, 429]);
    expect(await statuses(2, null)).toEqual([401, 401]);
  });
});

describe('requests without a token that holds', () => {
  it('are counted for their address: none, garbage and ended ones alike', async () => {
    const { statuses } = await open();
    expect(await statuses(1, null)).toEqual([401]);
    expect(await statuses(1, 'garbage')).toEqual([401]);
    expect(await statuses(1, 'expired')).toEqual([429]);
    expect(await statuses(1, null, '192.0.2.9')).toEqual([401]);
    expect(await statuses(1, CALLER)).toEqual([200]);
  });

  it('are counted before their body is read', async () => {
    const { app, statuses } = await open();
    await statuses(2, null);
    const answer = await app.inject({ method: 'POST', url: '/v1/sync', remoteAddress: '192.0.2.1', payload: '{' });
    expect(answer.statusCode).toBe(429);
  });

  it('of one IPv6 network are one address', async () => {
    const { statuses } = await open();
    expect(await statuses(1, null, '2001:db8:0:1::1')).toEqual([401]);
    expect(await statuses(2, null, '2001:db8:0:1:ffff::2')).toEqual([401, 429]);
    expect(await statuses(1, null, '2001:db8:0:2::1')).toEqual([401]);
  });

  it('to sign in are counted by address even beside a token that holds', async () => {
    const { app } = await open();
    const payload = { username: 'ada', password: 'wrong password' };
    const headers = { authorization: `Bearer ${CALLER}` };
    const logIn = () => app.inject({ method: 'POST', url: '/v1/auth/login', headers, payload });
    expect([await logIn(), await logIn(), await logIn()].map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
  });
});

describe('the address of a request', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  it('is that of the connection, whatever a header claims, unless a proxy is trusted', async () => {
    const { list, statuses } = await open();
    expect(await statuses(2, null)).toEqual([401, 401]);
    expect((await list(null, '192.0.2.1', from('203.0.113.1'))).statusCode).toBe(429);
  });

  it('is the one that the trusted proxy saw', async () => {
    const { list } = await open({ trustProxy: 1 });
    for (const client of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
      expect((await list(null, '192.0.2.1', from(client))).statusCode).toBe(401);
    }
    await list(null, '192.0.2.1', from('203.0.113.1'));
    expect((await list(null, '192.0.2.1', from('6.6.6.6, 203.0.113.1'))).statusCode).toBe(429);
  });

  it('may be told by networks that are trusted', async () => {
    const { list } = await open({ trustProxy: ['192.0.2.0/24'] });
    for (let count = 0; count < 3; count++) {
      const client = `203.0.113.${count}`;
      expect((await list(null, '192.0.2.1', from(client))).statusCode).toBe(401);
    }
    const seen: number[] = [];
    for (const client of [1, 2, 3]) {
      seen.push((await list(null, '198.51.100.1', from(`203.0.113.${client}`))).statusCode);
    }
    expect(seen).toEqual([401, 401, 429]);
  });
});

it('pages, documents and health are not counted, and RATE_LIMITS=off lifts everything', async () => {
  const { app } = await open();
  for (let count = 0; count < 5; count++) expect((await app.inject('/asyncapi.json')).statusCode).toBe(200);
  await door?.close();
  const none = { limit: 0, windowMs: MINUTE_MS };
  door = await openRestDoor({ settings: { restPerUser: none, restPerAddress: none } });
  expect((await door.app.inject('/v1/conversations')).statusCode).toBe(401);
});

it('a limiter that answers later holds as well', async () => {
  const local = new MemoryRateLimiter();
  const remote = {
    take: async (...request: Parameters<RateLimiter['take']>) => local.take(...request),
  } as unknown as RateLimiter;
  const { statuses } = await open({ limiter: remote });
  expect(await statuses(4, CALLER)).toEqual([200, 200, 200, 429]);
  expect(await statuses(3, null)).toEqual([401, 401, 429]);
});
