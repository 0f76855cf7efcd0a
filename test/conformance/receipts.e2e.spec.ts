import { randomUUID } from 'node:crypto';
import { ReceiptListSchema, type Conversation, type Message } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let cat: TestUser;
let adaSocket: TestSocket;
let bobSocket: TestSocket;
let group: Conversation;
let messages: Message[];
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob, cat] = (await app.someUsers('Ada', 'Bob', 'Cat')) as [TestUser, TestUser, TestUser];
  [adaSocket, bobSocket] = await Promise.all([ada.connect(), bob.connect()]);
});
beforeEach(async () => {
  group = await ada.group([bob, cat]);
  messages = await ada.sendMany(group.conversationId, 5);
});
afterAll(() => app.stop());

const idOf = (seq: number) => messages[seq - 1]?.messageId as string;
const receipts = async (user: TestUser, seq: number) => {
  const path = `/v1/conversations/${group.conversationId}/messages/${idOf(seq)}/receipts`;
  const { items } = await user.rest.want(200, ReceiptListSchema, 'GET', path);
  return new Map(items.map((item) => [item.userId, item]));
};
const here = (event: { conversationId: string }) => event.conversationId === group.conversationId;
/** Conversation and member list of a user agree about unread. */
const unreadOf = async (user: TestUser) => {
  const { lastSeq, lastReadSeq, unreadCount } = await user.conversation(group.conversationId);
  expect(unreadCount).toBe(lastSeq - lastReadSeq);
  return unreadCount;
};

describe('the read mark', () => {
  it('moves by REST, forward only, and is told to all members and the own other devices', async () => {
    const other = await bob.connect();
    expect(await bob.read(group.conversationId, idOf(3))).toEqual({
      lastReadMessageId: idOf(3),
      lastReadSeq: 3,
      unreadCount: 2,
    });
    const told = { conversationId: group.conversationId, userId: bob.userId, lastReadMessageId: idOf(3) };
    expect(await adaSocket.waitFor('read_receipt', here)).toEqual(told);
    expect(await other.waitFor('read_receipt', here)).toEqual(told);
    expect(await bob.read(group.conversationId, idOf(1))).toMatchObject({ lastReadSeq: 3, unreadCount: 2 });
    expect(await bob.read(group.conversationId, idOf(3))).toMatchObject({ lastReadSeq: 3, unreadCount: 2 });
    expect(await unreadOf(bob)).toBe(2);
    expect(await unreadOf(cat)).toBe(5);
  });

  it('moves over the socket, and is readable at once', async () => {
    const request = { conversationId: group.conversationId, lastReadMessageId: idOf(5) };
    const answer = await bobSocket.ask('read_receipt', request);
    expect(answer).toEqual({ lastReadMessageId: idOf(5), lastReadSeq: 5, unreadCount: 0 });
    expect(await unreadOf(bob)).toBe(0);
    const { members } = await ada.conversation(group.conversationId);
    expect(members.find(({ userId }) => userId === bob.userId)).toMatchObject({ lastReadMessageId: idOf(5) });
  });

  it("moves with the sender's own message, over unread ones too", async () => {
    expect(await unreadOf(bob)).toBe(5);
    const { messageId } = await bob.send(group.conversationId, 'I am here');
    expect(await bob.conversation(group.conversationId)).toMatchObject({
      unreadCount: 0,
      lastReadSeq: 6,
      lastReadMessageId: messageId,
    });
    expect(await unreadOf(ada)).toBe(1);
  });

  it('of all orders of marks at once ends at the highest', async () => {
    await Promise.all([3, 1, 5, 2, 4].map((seq) => bob.read(group.conversationId, idOf(seq))));
    expect(await bob.conversation(group.conversationId)).toMatchObject({ lastReadSeq: 5, unreadCount: 0 });
  });

  it('is not told below rev: it changes none', async () => {
    const { lastRev } = await ada.conversation(group.conversationId);
    await bob.read(group.conversationId, idOf(2));
    expect((await ada.conversation(group.conversationId)).lastRev).toBe(lastRev);
  });

  it.each(['1', 'abc', '', 17, null, undefined])('does not move to %j', async (lastReadMessageId) => {
    const refusal = await bob.rest.refusal('PUT', `/v1/conversations/${group.conversationId}/read`, {
      lastReadMessageId,
    });
    expect(refusal).toMatch(lastReadMessageId === '1' ? /^404 not_found$/ : /^400 validation_failed lastReadMessageId/);
    const request = { conversationId: group.conversationId, lastReadMessageId };
    expect(await bobSocket.refusal('read_receipt', request)).toBe(refusal);
    expect(await unreadOf(bob)).toBe(5);
  });

  it('does not move to a message of another conversation', async () => {
    const { conversationId } = await ada.group([bob]);
    const { messageId } = await ada.send(conversationId, 'elsewhere');
    const body = { lastReadMessageId: messageId };
    expect(await bob.rest.refusal('PUT', `/v1/conversations/${group.conversationId}/read`, body)).toBe('404 not_found');
  });

  it('is told at most once a second for a reader and conversation, the last one always', async () => {
    for (const seq of [1, 2, 3, 4, 5]) await bob.read(group.conversationId, idOf(seq));
    await adaSocket.waitFor('read_receipt', (event) => here(event) && event.lastReadMessageId === idOf(5));
    expect(adaSocket.seen('read_receipt').filter(here).length).toBeLessThanOrEqual(3);
  });
});

describe('the delivered mark', () => {
  it('covers all before it, and is told to the other members', async () => {
    expect(await bobSocket.raw('ack', { messageId: idOf(4), conversationId: group.conversationId })).toEqual({
      ok: true,
    });
    const told = await adaSocket.waitFor(
      'delivery_receipt',
      (event) => here(event) && event.lastDeliveredMessageId === idOf(4),
    );
    expect(told).toEqual({ conversationId: group.conversationId, userId: bob.userId, lastDeliveredMessageId: idOf(4) });
    expect((await receipts(ada, 1)).get(bob.userId)?.deliveredAt).not.toBeNull();
    expect((await receipts(ada, 4)).get(bob.userId)).toMatchObject({ readAt: null });
    expect((await receipts(ada, 5)).get(bob.userId)).toEqual({ userId: bob.userId, deliveredAt: null, readAt: null });
    expect(bobSocket.seen('delivery_receipt').filter(here)).toEqual([]);
  });

  it('is set without naming the conversation', async () => {
    await bobSocket.ask('ack', { messageId: idOf(2) });
    const isIt = (event: { conversationId: string; lastDeliveredMessageId: string }) =>
      here(event) && event.lastDeliveredMessageId === idOf(2);
    expect((await adaSocket.waitFor('delivery_receipt', isIt)).userId).toBe(bob.userId);
  });

  it.each([{ messageId: '1' }, { messageId: 'abc' }, {}, { messageId: 17 }])('is not set by %o', async (payload) => {
    expect(await bobSocket.refusal('ack', payload)).toMatch(/^(404 not_found|400 validation_failed messageId)/);
  });

  it("is not set by a stranger's ack", async () => {
    const stranger = await (await app.user('Eve')).connect();
    const payload = { messageId: idOf(2), conversationId: group.conversationId };
    expect(await stranger.refusal('ack', payload)).toBe('404 not_found');
    expect(await stranger.refusal('ack', { messageId: idOf(2) })).toBe('404 not_found');
  });

  it('tells a stranger nothing: a foreign message and one that does not exist are answered word for word alike', async () => {
    const stranger = await (await app.user('Eve')).connect();
    const missing = await stranger.raw('ack', { messageId: '1' });
    expect(missing).toMatchObject({ ok: false, error: { code: 'not_found' } });
    expect(await stranger.raw('ack', { messageId: idOf(2) })).toEqual(missing);
    for (const conversationId of [group.conversationId, randomUUID()]) {
      for (const messageId of [idOf(2), '1']) {
        expect(await stranger.raw('ack', { messageId, conversationId })).toEqual(missing);
      }
    }
  });
});

describe('the receipts of a message', () => {
  it('list every member but the sender, with the times when the marks first covered it', async () => {
    expect(await receipts(ada, 2)).toEqual(
      new Map([bob, cat].map(({ userId }) => [userId, { userId, deliveredAt: null, readAt: null }])),
    );
    await bob.read(group.conversationId, idOf(2));
    const first = (await receipts(ada, 2)).get(bob.userId);
    expect(first?.readAt).toMatch(/^\d{4}-.*\.\d{3}Z$/);
    expect(first?.deliveredAt).not.toBeNull();
    await bob.read(group.conversationId, idOf(5));
    expect((await receipts(ada, 2)).get(bob.userId)).toEqual(first);
    const later = (await receipts(cat, 5)).get(bob.userId)?.readAt as string;
    expect(later >= (first?.readAt as string)).toBe(true);
  });

  it('count a message of the member itself as reading', async () => {
    await cat.send(group.conversationId, 'seen');
    expect((await receipts(ada, 5)).get(cat.userId)?.readAt).not.toBeNull();
  });

  it('are paged and take only what they know', async () => {
    const path = `/v1/conversations/${group.conversationId}/messages/${idOf(1)}/receipts`;
    const first = await ada.rest.want(200, ReceiptListSchema, 'GET', `${path}?limit=1`);
    expect(first.items).toHaveLength(1);
    const cursor = encodeURIComponent(first.nextCursor as string);
    const second = await ada.rest.want(200, ReceiptListSchema, 'GET', `${path}?limit=1&cursor=${cursor}`);
    expect(new Set([...first.items, ...second.items].map(({ userId }) => userId)).size).toBe(2);
    expect(await ada.rest.refusal('GET', `${path}?limit=0`)).toMatch(/^400 validation_failed/);
    expect(await bob.rest.refusal('GET', `${path}?cursor=${cursor}`)).toMatch(/^400 validation_failed/);
  });

  it('in a conversation of more than 20 come on demand, not live', async () => {
    const many = await app.someUsers(...Array.from({ length: 19 }, (_, i) => `M${i}`));
    group = await ada.group([bob, cat, ...many]);
    messages = await ada.sendMany(group.conversationId, 2);
    await bobSocket.ask('ack', { messageId: idOf(1), conversationId: group.conversationId });
    await expect.poll(async () => (await receipts(ada, 1)).get(bob.userId)?.deliveredAt).toBeTruthy();
    await bob.read(group.conversationId, idOf(2));
    await adaSocket.waitFor('read_receipt', here);
    expect(adaSocket.seen('delivery_receipt').filter(here)).toEqual([]);
  });
});
