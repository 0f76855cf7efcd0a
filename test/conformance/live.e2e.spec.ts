import { randomUUID } from 'node:crypto';
import type { Conversation } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let adaSocket: TestSocket;
let bobSocket: TestSocket;
let chat: Conversation;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  [adaSocket, bobSocket] = await Promise.all([ada.connect(), bob.connect()]);
});
beforeEach(async () => {
  chat = await ada.group([bob]);
});
afterAll(() => app.stop());

const here = (event: { conversationId: string }) => event.conversationId === chat.conversationId;
/** Whatever was told to the socket before this has arrived once this resolves. */
const settle = async (socket: TestSocket, from: TestUser) => {
  const { messageId } = await from.send(chat.conversationId, 'marker');
  await socket.waitFor('new_message', (message) => message.messageId === messageId);
};

describe('typing', () => {
  it('is told to the others, not to oneself', async () => {
    expect(await adaSocket.raw('typing', { conversationId: chat.conversationId })).toEqual({ ok: true });
    expect(await bobSocket.waitFor('typing_indicator', here)).toEqual({
      conversationId: chat.conversationId,
      userId: ada.userId,
      isTyping: true,
    });
    await adaSocket.ask('typing', { conversationId: chat.conversationId, isTyping: false });
    await bobSocket.waitFor('typing_indicator', (event) => here(event) && !event.isTyping);
    await settle(adaSocket, bob);
    expect(adaSocket.seen('typing_indicator').filter(here)).toEqual([]);
  });

  it('reaches others at most once a second', async () => {
    for (let i = 0; i < 20; i++) await adaSocket.ask('typing', { conversationId: chat.conversationId });
    await settle(bobSocket, ada);
    expect(
      bobSocket.seen('typing_indicator').filter((event) => here(event) && event.isTyping).length,
    ).toBeLessThanOrEqual(2);
  });

  it('ends by itself after 6 s', async () => {
    await adaSocket.ask('typing', { conversationId: chat.conversationId });
    await bobSocket.waitFor('typing_indicator', (event) => here(event) && event.isTyping);
    const began = performance.now();
    await bobSocket.waitFor('typing_indicator', (event) => here(event) && !event.isTyping, 8_000);
    expect(performance.now() - began).toBeGreaterThan(4_500);
  });

  it('is refused where one does not belong, and malformed', async () => {
    const stranger = await (await app.user('Eve')).connect();
    expect(await stranger.refusal('typing', { conversationId: chat.conversationId })).toBe('404 not_found');
    expect(await stranger.refusal('typing', { conversationId: randomUUID() })).toBe('404 not_found');
    expect(await adaSocket.refusal('typing', {})).toBe('400 validation_failed conversationId:required');
    const odd = { conversationId: chat.conversationId, isTyping: 'yes' };
    expect(await adaSocket.refusal('typing', odd)).toBe('400 validation_failed isTyping:invalid_type');
  });
});

describe('live delivery', () => {
  it('has the order of the conversation for every device, without a gap', async () => {
    const second = await bob.connect();
    const sends = Array.from({ length: 60 }, (_, i) => (i % 2 ? ada : bob).send(chat.conversationId, `n${i}`));
    await Promise.all(sends);
    for (const socket of [adaSocket, bobSocket, second]) {
      await socket.waitFor('new_message', (message) => here(message) && message.seq === 60);
      const seqs = socket
        .seen('new_message')
        .filter(here)
        .map(({ seq }) => seq);
      expect([...new Set(seqs)]).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    }
  });

  it('tells nothing of conversations that one is not in', async () => {
    const socket = await (await app.user('Eve')).connect();
    await ada.send(chat.conversationId, 'private');
    await adaSocket.ask('typing', { conversationId: chat.conversationId });
    await bobSocket.waitFor('typing_indicator', here);
    await socket.ask('heartbeat', { active: true });
    expect(socket.events).toEqual([]);
  });

  it('comes again to a device that acks and has not acked it, after 5 s', async () => {
    const { messageId } = await ada.send(chat.conversationId, 'first');
    await bobSocket.waitFor('new_message', (message) => message.messageId === messageId);
    await bobSocket.ask('ack', { messageId, conversationId: chat.conversationId });
    const unacked = await ada.send(chat.conversationId, 'second');
    const arrivals = () => bobSocket.seen('new_message').filter((message) => message.messageId === unacked.messageId);
    await expect.poll(() => arrivals().length, { timeout: 9_000 }).toBe(2);
    expect(arrivals()[1]).toEqual(arrivals()[0]);
    await bobSocket.ask('ack', { messageId: unacked.messageId, conversationId: chat.conversationId });
  });

  it('keeps on with heads within 30 s for conversations that changed', async () => {
    await ada.send(chat.conversationId, 'changed');
    const { heads } = await bobSocket.waitFor(
      'heads',
      (event) => event.heads.some((head) => here(head) && head.lastSeq === 1),
      31_000,
    );
    const { lastSeq, lastRev } = await bob.conversation(chat.conversationId);
    expect(heads.find(here)).toEqual({ conversationId: chat.conversationId, lastSeq, lastRev });
  });
});
