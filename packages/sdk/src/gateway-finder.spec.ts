import { beforeEach, describe, expect, it } from 'vitest';
import { ParleyError } from './errors.js';
import { GatewayFinder } from './gateway-finder.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { ConnectAnswer } from './wire.js';

const GIVEN = { url: 'http://given', path: '/socket.io' };
const NAMED: ConnectAnswer = { url: 'http://g1/', path: '/sockets', fallbackUrls: ['http://g2', 'http://g1/'] };
const at = (url: string) => ({ url, path: '/sockets' });

let clock: VirtualClock;
let answer: () => Promise<ConnectAnswer>;
let asked: number;
let finder: GatewayFinder;
const finderOf = (url: string) =>
  new GatewayFinder({
    url,
    clock,
    askGateways: (token) => {
      expect(token).toBe('token');
      asked++;
      return answer();
    },
  });
const refusing = (status: number, code: 'not_found' | 'overloaded' | 'token_expired' | 'internal') => async () =>
  Promise.reject(new ParleyError(code, 'no', { status }));
beforeEach(() => {
  clock = new VirtualClock();
  asked = 0;
  answer = async () => NAMED;
  finder = finderOf(GIVEN.url);
});
const next = () => finder.next('token');
async function failing(): Promise<string> {
  const gateway = await next();
  finder.passOver(gateway);
  return gateway.url;
}

describe('the gateway to connect to', () => {
  it('is the named one, then its fall-backs, then the given one, and then all of them again', async () => {
    expect(await next()).toEqual(at('http://g1'));
    const tried: string[] = [];
    for (let i = 0; i < 5; i++) tried.push(await failing());
    expect(tried).toEqual(['http://g1', 'http://g2', 'http://given', 'http://g1', 'http://g2']);
    expect(asked).toBe(1);
  });

  it('is the named one again once any was reached', async () => {
    await failing();
    expect(await next()).toEqual(at('http://g2'));
    finder.reached();
    expect(await next()).toEqual(at('http://g1'));
  });

  it('is asked for again after 10 s, so that new gateways are found', async () => {
    await next();
    answer = async () => ({ ...NAMED, url: 'http://g3', fallbackUrls: [] });
    await clock.advance(9_999);
    expect(await next()).toEqual(at('http://g1'));
    await clock.advance(1);
    expect(await next()).toEqual(at('http://g3'));
    expect(asked).toBe(2);
  });

  it('is one that was named before while nobody answers, for ten minutes', async () => {
    await next();
    answer = refusing(503, 'overloaded');
    await clock.advance(599_000);
    expect(await next()).toEqual(at('http://g1'));
    await clock.advance(2_000);
    expect(await next()).toEqual(GIVEN);
    expect(asked).toBe(3);
  });

  it('is the given one when the server does not know the call, and it is not asked at each attempt', async () => {
    answer = refusing(404, 'not_found');
    for (let i = 0; i < 5; i++) expect(await next()).toEqual(GIVEN);
    expect(asked).toBe(1);
  });

  it('is the given one when there is no answer in 5 s', async () => {
    answer = () => new Promise(() => {});
    let found: unknown;
    const finding = next().then((gateway) => (found = gateway));
    await clock.advance(4_999);
    expect(found).toBeUndefined();
    await clock.advance(1);
    await finding;
    expect(found).toEqual(GIVEN);
    expect(clock.waiting).toBe(0);
  });

  it('is the given one when the answer makes no sense', async () => {
    for (const nonsense of [
      null,
      'text',
      {},
      { url: 'http://g1' },
      { ...NAMED, path: 7 },
      { ...NAMED, url: 7, fallbackUrls: ['ftp://x'] },
    ]) {
      answer = async () => nonsense as ConnectAnswer;
      finder = finderOf(GIVEN.url);
      expect(await next()).toEqual(GIVEN);
    }
  });

  it('is none when the token is refused: another one has to be got first', async () => {
    answer = refusing(401, 'token_expired');
    await expect(next()).rejects.toMatchObject({ code: 'token_expired' });
    // What stands between here and the server speaks for itself only.
    answer = refusing(401, 'internal');
    expect(await next()).toEqual(GIVEN);
  });

  it('is one of eight at most, however many are named', async () => {
    answer = async () => ({ ...NAMED, fallbackUrls: Array.from({ length: 100 }, (_, i) => `http://f${i}`) });
    const tried = new Set<string>();
    for (let i = 0; i < 50; i++) tried.add(await failing());
    expect(tried.size).toBe(9);
  });

  it('is never one that would be sent the token in the clear', async () => {
    finder = finderOf('https://given');
    answer = async () => ({ ...NAMED, fallbackUrls: ['https://g2'] });
    expect(await next()).toEqual(at('https://g2'));
    finder.suggest('http://g4');
    expect(await next()).toEqual(at('https://g2'));
  });

  it('is the one that was suggested, once', async () => {
    await next();
    finder.suggest('http://g4');
    expect(await failing()).toBe('http://g4');
    expect(await next()).toEqual(at('http://g1'));
    finder.suggest('http://g4');
    expect(await next()).toEqual(at('http://g1'));
  });
});
