import type { MessagePage } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';

const COUNT = 25;
let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let conversationId: string;
/** ids[0] is the message with seq 1. */
let ids: string[];
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  ({ conversationId } = await ada.direct(bob));
  ids = (await ada.sendMany(conversationId, COUNT)).map(({ messageId }) => messageId);
});
afterAll(() => app.stop());

const page = (query: string) => ada.history(conversationId, query);
const seqs = ({ items }: MessagePage) => items.map(({ seq }) => seq);
const range = (from: number, to: number) =>
  Array.from({ length: Math.abs(to - from) + 1 }, (_, i) => (from < to ? from + i : from - i));
const idOf = (seq: number) => ids[seq - 1] as string;

describe('history', () => {
  it('is the newest first, and says whether there is more', async () => {
    const first = await page('?limit=10');
    expect(seqs(first)).toEqual(range(25, 16));
    expect(first).toMatchObject({ hasBefore: true, hasAfter: false, nextCursor: expect.any(String) as unknown });
    const all = await page('');
    expect(seqs(all)).toEqual(range(25, 1));
    expect(all).toMatchObject({ hasBefore: false, hasAfter: false, nextCursor: null });
  });

  it('goes on by cursor to the very first, each message once', async () => {
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const next: MessagePage = await page(`?limit=7${more}`);
      seen.push(...seqs(next));
      cursor = next.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(range(25, 1));
  });

  it('stays in place by cursor while new messages come', async () => {
    const group = await ada.group([bob]);
    await ada.sendMany(group.conversationId, 5);
    const first = await ada.history(group.conversationId, '?limit=2');
    await bob.sendMany(group.conversationId, 3, 'new');
    const cursor = encodeURIComponent(first.nextCursor as string);
    expect(seqs(await ada.history(group.conversationId, `?limit=2&cursor=${cursor}`))).toEqual([3, 2]);
  });

  it('before a message: the older ones, newest first', async () => {
    const some = await page(`?before=${idOf(10)}&limit=4`);
    expect(seqs(some)).toEqual([9, 8, 7, 6]);
    expect(some).toMatchObject({ hasBefore: true, hasAfter: true });
    const none = await page(`?before=${idOf(1)}`);
    expect(none).toMatchObject({ items: [], hasBefore: false, hasAfter: true, nextCursor: null });
  });

  it('after a message: the newer ones, oldest first', async () => {
    const some = await page(`?after=${idOf(10)}&limit=4`);
    expect(seqs(some)).toEqual([11, 12, 13, 14]);
    expect(some).toMatchObject({ hasBefore: true, hasAfter: true });
    const cursor = encodeURIComponent(some.nextCursor as string);
    expect(seqs(await page(`?cursor=${cursor}&limit=3`))).toEqual([15, 16, 17]);
    const none = await page(`?after=${idOf(COUNT)}`);
    expect(none).toMatchObject({ items: [], hasBefore: true, hasAfter: false, nextCursor: null });
  });

  it('around a message: both sides of it, newest first', async () => {
    const some = await page(`?around=${idOf(12)}&limit=5`);
    expect(seqs(some)).toEqual([14, 13, 12, 11, 10]);
    expect(some).toMatchObject({ hasBefore: true, hasAfter: true });
    const first = await page(`?around=${idOf(1)}&limit=5`);
    expect(seqs(first)).toContain(1);
    expect(first.hasBefore).toBe(false);
    const last = await page(`?around=${idOf(COUNT)}&limit=5`);
    expect(seqs(last)).toContain(COUNT);
    expect(last.hasAfter).toBe(false);
    expect(seqs(await page(`?around=${idOf(12)}&limit=1`))).toEqual([12]);
  });

  it('around the first unread one; with nothing unread, the newest page', async () => {
    await bob.read(conversationId, idOf(20));
    const unread = await bob.history(conversationId, '?around=first_unread&limit=5');
    expect(seqs(unread)).toContain(21);
    expect(seqs(await ada.history(conversationId, '?around=first_unread&limit=3'))).toEqual([25, 24, 23]);
  });

  it('of an empty conversation is empty', async () => {
    const { conversationId: empty } = await ada.group([]);
    for (const query of ['', '?around=first_unread']) {
      expect(await ada.history(empty, query)).toEqual({
        items: [],
        nextCursor: null,
        hasBefore: false,
        hasAfter: false,
      });
    }
  });

  it('ends early at about 1 MB, with at least one message and a cursor', async () => {
    const group = await ada.group([]);
    const big = '€'.repeat(99_000);
    for (let i = 0; i < 5; i++) await ada.send(group.conversationId, `${i}${big}`);
    const path = `/v1/conversations/${group.conversationId}/messages`;
    const answer = await ada.rest.call('GET', path);
    expect(Buffer.byteLength(answer.text)).toBeLessThan(1_310_000);
    const first = await ada.history(group.conversationId);
    expect(seqs(first)).toEqual([5, 4, 3]);
    expect(first).toMatchObject({ hasBefore: true, nextCursor: expect.any(String) as unknown });
    const cursor = encodeURIComponent(first.nextCursor as string);
    expect(seqs(await ada.history(group.conversationId, `?cursor=${cursor}`))).toEqual([2, 1]);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=',
    'limit=abc',
    'limit=1000000000',
    'cursor=garbage',
    'cursor=',
    `cursor=${'x'.repeat(7_000)}`,
    'before=abc',
    'after=-1',
    'around=last',
    'before=',
    'order=asc',
    'limit=1&limit=2',
    '__proto__=1',
  ])('refuses ?%.20s', async (query) => {
    expect(await ada.rest.refusal('GET', `/v1/conversations/${conversationId}/messages?${query}`)).toMatch(
      /^400 validation_failed/,
    );
  });

  it('takes one place at a time', async () => {
    const both = `before=${idOf(3)}&after=${idOf(1)}`;
    expect(await ada.rest.refusal('GET', `/v1/conversations/${conversationId}/messages?${both}`)).toMatch(
      /^400 validation_failed/,
    );
  });

  it("refuses another user's cursor, and that of another conversation", async () => {
    const cursor = encodeURIComponent((await page('?limit=1')).nextCursor as string);
    const path = (id: string) => `/v1/conversations/${id}/messages?cursor=${cursor}`;
    expect(await bob.rest.refusal('GET', path(conversationId))).toMatch(/^400 validation_failed cursor/);
    const other = await ada.group([]);
    expect(await ada.rest.refusal('GET', path(other.conversationId))).toMatch(/^400 validation_failed cursor/);
  });

  it.each(['before', 'after', 'around'])('%s a message of another conversation is not found', async (mode) => {
    const { conversationId: other } = await ada.group([]);
    const foreign = await ada.send(other, 'elsewhere');
    const path = (id: string) => `/v1/conversations/${conversationId}/messages?${mode}=${id}`;
    expect(await ada.rest.refusal('GET', path(foreign.messageId))).toBe('404 not_found');
    expect(await ada.rest.refusal('GET', path('17'))).toBe('404 not_found');
  });
});
