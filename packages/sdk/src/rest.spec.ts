import { describe, expect, it } from 'vitest';
import { callRest, pathOf, type Fetch } from './rest.js';

describe('the path of a request', () => {
  it('has each value as one part of it, which leads nowhere else', () => {
    const pathTo = (id: unknown) => new URL(pathOf`/v1/users/${id as string}/marks`, 'http://server').pathname;
    expect(pathTo('0190a6c4-5f3e')).toBe('/v1/users/0190a6c4-5f3e/marks');
    expect(pathTo('../me?x#y')).toBe('/v1/users/..%2Fme%3Fx%23y/marks');
    expect(pathTo('🔥')).toBe('/v1/users/%F0%9F%94%A5/marks');
    for (const nothing of ['', '.', '..']) expect(pathTo(nothing)).toBe('/v1/users/%00/marks');
  });

  it('and its query take half of a character, for the server to refuse', async () => {
    const asked: string[] = [];
    const fetch: Fetch = async (url) => {
      asked.push(url);
      return { ok: true, status: 200, headers: { get: () => null }, text: async () => '' };
    };
    await callRest(fetch, '', 'GET', pathOf`/${'a\ud800b'}`, { query: { search: '\udc00🔥.' } });
    expect(asked).toEqual(['/a%00b?search=%00%F0%9F%94%A5.']);
  });
});
