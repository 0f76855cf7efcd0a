import { randomUUID } from 'node:crypto';
import type { SyncAnswer } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import { sorted } from '../clients/sorted.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let conversationId: string;
beforeAll(async () => {
  app = await TestApp.start();
});
beforeEach(async () => {
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  ({ conversationId } = await ada.group([bob]));
});
afterAll(() => app.stop());

const one = (answer: SyncAnswer, id = conversationId) => {
  const found = answer.conversations.filter(({ conversation }) => conversation.conversationId === id);
  expect(found).toHaveLength(1);
  return found[0] as SyncAnswer['conversations'][number];
};
const seqs = (messages: { seq: number }[]) => messages.map(({ seq }) => seq);
const cursor = (afterSeq: number, afterRev?: number) => ({ cursors: [{ conversationId, afterSeq, afterRev }] });

describe('sync', () => {
  it('without since gives every conversation as GET gives it', async () => {
    const other = await bob.direct(ada);
    const answer = await ada.sync();
    const ids = answer.conversations.map(({ conversation }) => conversation.conversationId);
    expect(sorted(ids)).toEqual(sorted([conversationId, other.conversationId]));
    expect(one(answer).conversation).toEqual(await ada.conversation(conversationId));
    expect(one(answer)).toMatchObject({ messages: [], changes: [], reset: false });
    expect(answer).toMatchObject({ removed: [], nextCursor: null });
  });

  it('with since gives only what changed, of every kind', async () => {
    const { conversationId: quiet } = await ada.group([bob]);
    const told = async (act: () => Promise<unknown>): Promise<string[]> => {
      const { syncedAt } = await bob.sync();
      await act();
      const { conversations } = await bob.sync({ since: syncedAt });
      return conversations.map(({ conversation }) => conversation.conversationId);
    };
    const path = `/v1/conversations/${conversationId}`;
    expect(await told(async () => {})).toEqual([]);
    expect(await told(() => ada.send(conversationId, 'x'))).toEqual([conversationId]);
    const { messageId } = await ada.send(conversationId, 'y');
    const message = `${path}/messages/${messageId}`;
    expect(await told(() => ada.rest.call('PATCH', message, { body: { content: 'z' } }))).toEqual([conversationId]);
    expect(await told(() => ada.rest.call('PUT', `${message}/reactions/x`))).toEqual([conversationId]);
    expect(await told(() => ada.rest.call('DELETE', message))).toEqual([conversationId]);
    expect(await told(() => ada.rest.call('PATCH', path, { body: { name: 'new' } }))).toEqual([conversationId]);
    expect(await told(() => bob.rest.call('PUT', `${path}/settings`, { body: { pinned: true } }))).toEqual([
      conversationId,
    ]);
    expect(await told(() => bob.read(conversationId, messageId))).toEqual([conversationId]);
    const cat = await app.user('Cat');
    expect(await told(() => ada.members(conversationId, { add: [cat.userId] }))).toEqual([conversationId]);
    expect(await told(() => ada.send(quiet, 'quiet no more'))).toEqual([quiet]);
  });

  it('gives the messages after a cursor, oldest first, and where to go on', async () => {
    await ada.sendMany(conversationId, 7);
    const first = one(await bob.sync({ ...cursor(2, 3), limit: 3 }));
    expect(seqs(first.messages)).toEqual([3, 4, 5]);
    expect(first).toMatchObject({ hasMore: true, reset: false, next: { afterSeq: 5 } });
    const { next } = first;
    const second = one(await bob.sync({ cursors: [{ conversationId, ...next }], limit: 3 }));
    expect(seqs(second.messages)).toEqual([6, 7]);
    expect(second).toMatchObject({ hasMore: false, next: { afterSeq: 7, afterRev: 8 } });
    expect(one(await bob.sync({ cursors: [{ conversationId, ...second.next }] }))).toMatchObject({
      messages: [],
      changes: [],
      hasMore: false,
    });
  });

  it('gives older messages that changed, by rev, and the last rev once they are exhausted', async () => {
    const sent = await ada.sendMany(conversationId, 4);
    const path = (i: number) => `/v1/conversations/${conversationId}/messages/${sent[i]?.messageId}`;
    await ada.rest.call('PATCH', path(2), { body: { content: 'edited' } });
    await ada.rest.call('DELETE', path(0));
    await bob.rest.call('PUT', `${path(1)}/reactions/x`);
    await ada.rest.call('PATCH', `/v1/conversations/${conversationId}`, { body: { name: 'renamed' } });
    const first = one(await bob.sync({ ...cursor(4, 5), limit: 2 }));
    expect(first.messages).toEqual([]);
    expect(seqs(first.changes)).toEqual([3, 1]);
    expect(first.changes.map(({ rev }) => rev)).toEqual([6, 7]);
    expect(first).toMatchObject({ hasMore: true, next: { afterSeq: 4, afterRev: 7 } });
    const second = one(await bob.sync({ cursors: [{ conversationId, ...first.next }], limit: 2 }));
    expect(seqs(second.changes)).toEqual([2]);
    expect(second).toMatchObject({ hasMore: false, next: { afterSeq: 4, afterRev: 9 } });
  });

  it.each([
    ['ahead in seq', { afterSeq: 99 }],
    ['ahead in rev', { afterSeq: 3, afterRev: 99 }],
  ])('says reset for a cursor that is %s', async (_, place) => {
    await ada.sendMany(conversationId, 3);
    const answer = one(await bob.sync({ cursors: [{ conversationId, ...place }] }));
    expect(answer.reset).toBe(true);
    expect(answer.next.afterSeq).toBeLessThanOrEqual(3);
    expect(answer.next.afterRev).toBeLessThanOrEqual(4);
  });

  it('says reset for a cursor below what one may see, and gives nothing from there', async () => {
    await ada.sendMany(conversationId, 3, 'before');
    const cat = await app.user('Cat');
    await ada.members(conversationId, { add: [cat.userId] });
    await ada.sendMany(conversationId, 2, 'after');
    const answer = one(await cat.sync(cursor(1, 1)));
    expect(answer.reset).toBe(true);
    expect(answer.messages.every(({ seq }) => seq >= 4)).toBe(true);
    expect(JSON.stringify(answer)).not.toContain('before');
  });

  it('tells removals, also of a conversation that only a cursor names', async () => {
    const { syncedAt } = await bob.sync();
    await ada.members(conversationId, { remove: [bob.userId] });
    expect(await bob.sync({ since: syncedAt })).toMatchObject({ conversations: [], removed: [conversationId] });
    const nobodys = randomUUID();
    const named = await bob.sync({ since: syncedAt, cursors: [{ conversationId: nobodys, afterSeq: 0 }] });
    expect(sorted(named.removed)).toEqual(sorted([conversationId, nobodys]));
    const again = await bob.sync({ since: (await bob.sync()).syncedAt });
    expect(again.removed).toEqual([]);
  });

  it('tells a conversation that one left and came back to as it is now', async () => {
    await ada.sendMany(conversationId, 2);
    const { syncedAt } = await bob.sync();
    await ada.members(conversationId, { remove: [bob.userId] });
    await ada.send(conversationId, 'unseen');
    await ada.members(conversationId, { add: [bob.userId] });
    const answer = await bob.sync({ since: syncedAt, ...cursor(2, 3) });
    expect(one(answer).conversation).toMatchObject({ visibleFromSeq: 4, unreadCount: 0 });
    expect(answer.removed).toEqual([]);
    expect(JSON.stringify(answer)).not.toContain('unseen');
  });

  it('is the same over the socket', async () => {
    await ada.sendMany(conversationId, 3);
    const socket = await bob.connect();
    const bySocket = await socket.ask('sync', cursor(0, 1));
    const byRest = await bob.sync(cursor(0, 1));
    expect(bySocket.conversations).toEqual(byRest.conversations);
    expect(seqs(one(bySocket).messages)).toEqual([1, 2, 3]);
    const later = await socket.ask('sync', { since: bySocket.syncedAt });
    expect(later.conversations).toEqual([]);
  });

  it('pages through many conversations, each once, with since kept the same', async () => {
    const made = [conversationId];
    for (let i = 0; i < 230; i += 10) {
      const some = await Promise.all(Array.from({ length: 10 }, () => ada.group([], null)));
      made.push(...some.map((group) => group.conversationId));
    }
    const seen: string[] = [];
    let answer = await ada.sync();
    const first = answer.syncedAt;
    seen.push(...answer.conversations.map(({ conversation }) => conversation.conversationId));
    expect(answer.nextCursor).not.toBeNull();
    while (answer.nextCursor !== null) {
      answer = await ada.sync({ cursor: answer.nextCursor });
      seen.push(...answer.conversations.map(({ conversation }) => conversation.conversationId));
      expect(answer.syncedAt).toBe(first);
    }
    expect(sorted(seen)).toEqual(sorted(made));
  });

  it('ends early at about 1 MB, with the rest behind next and nextCursor', async () => {
    const big = 'x'.repeat(90_000);
    const groups = [conversationId, (await ada.group([])).conversationId];
    for (const id of groups) for (let i = 0; i < 8; i++) await ada.send(id, `${i}${big}`);
    const places = new Map(groups.map((id) => [id, { conversationId: id, afterSeq: 0, afterRev: 1 }]));
    const seen = new Map(groups.map((id) => [id, [] as number[]]));
    for (let rounds = 0; rounds < 10; rounds++) {
      const answer = await ada.rest.call('POST', '/v1/sync', { body: { cursors: [...places.values()], limit: 100 } });
      expect(Buffer.byteLength(answer.text)).toBeLessThan(1_300_000);
      for (const { conversation, messages, next } of (answer.json as SyncAnswer).conversations) {
        places.set(conversation.conversationId, { conversationId: conversation.conversationId, ...next });
        seen.get(conversation.conversationId)?.push(...seqs(messages));
      }
    }
    for (const id of groups) expect(seen.get(id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it.each<[string, object]>([
    ['a since that nobody gave', { since: 'garbage' }],
    ['an empty since', { since: '' }],
    ['a since of 64 KB', { since: 'x'.repeat(65_536) }],
    ['a cursor that nobody gave', { cursor: 'garbage' }],
    ['a limit of 0', { limit: 0 }],
    ['a limit of 101', { limit: 101 }],
    ['a limit that is text', { limit: '5' }],
    ['a negative afterSeq', { cursors: [{ conversationId: randomUUID(), afterSeq: -1 }] }],
    ['an afterSeq of 2^53+1', { cursors: [{ conversationId: randomUUID(), afterSeq: 2 ** 53 + 2 }] }],
    ['a fraction', { cursors: [{ conversationId: randomUUID(), afterSeq: 1.5 }] }],
    ['a cursor without afterSeq', { cursors: [{ conversationId: randomUUID() }] }],
    ['cursors that are no list', { cursors: {} }],
    ['201 cursors', { cursors: Array.from({ length: 201 }, () => ({ conversationId: randomUUID(), afterSeq: 0 })) }],
    ['an unknown field', { full: true }],
  ])('refuses %s, at both doors', async (_, request) => {
    expect(await bob.rest.refusal('POST', '/v1/sync', request)).toMatch(/^400 validation_failed/);
    expect(await (await bob.connect()).refusal('sync', request)).toMatch(/^400 validation_failed/);
  });

  it("refuses another user's since", async () => {
    const { syncedAt } = await ada.sync();
    expect(await bob.rest.refusal('POST', '/v1/sync', { since: syncedAt })).toMatch(/^400 validation_failed since/);
  });
});
