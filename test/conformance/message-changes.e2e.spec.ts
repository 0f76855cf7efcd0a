import { randomUUID } from 'node:crypto';
import { MessageSchema, type Conversation, type Message } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let cat: TestUser;
let socket: TestSocket;
let own: TestSocket;
let group: Conversation;
let message: Message;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob, cat] = (await app.someUsers('Ada', 'Bob', 'Cat')) as [TestUser, TestUser, TestUser];
  [own, socket] = await Promise.all([bob.connect(), cat.connect()]);
});
beforeEach(async () => {
  group = await ada.group([bob, cat]);
  message = await bob.send(group.conversationId, 'Hello');
});
afterAll(() => app.stop());

const path = (rest = '') => `/v1/conversations/${group.conversationId}/messages/${message.messageId}${rest}`;
const change = (user: TestUser, method: string, rest = '', body?: object) =>
  user.rest.want(200, MessageSchema, method, path(rest), body);
const updated = (rev: number) =>
  socket.waitFor('message_updated', (m) => m.messageId === message.messageId && m.rev === rev);
const place = () => ({ conversationId: group.conversationId, messageId: message.messageId });

describe('an edit', () => {
  it('changes the content, marks when, takes a rev and keeps the place', async () => {
    const edited = await change(bob, 'PATCH', '', { content: 'Hello again' });
    expect(edited).toEqual({
      ...message,
      content: 'Hello again',
      rev: message.rev + 1,
      editedAt: expect.stringMatching(/Z$/) as unknown,
    });
    expect(await updated(edited.rev)).toEqual(edited);
    expect((await ada.history(group.conversationId)).items).toEqual([edited]);
    expect(await ada.conversation(group.conversationId)).toMatchObject({
      lastSeq: 1,
      lastRev: edited.rev,
      lastMessage: { messageId: message.messageId, preview: 'Hello again' },
    });
  });

  it('is made over the socket as well', async () => {
    const { message: edited } = await own.ask('edit_message', { ...place(), content: 'by socket' });
    expect(edited).toMatchObject({ content: 'by socket', rev: message.rev + 1 });
    expect(await updated(edited.rev)).toEqual(edited);
  });

  it("is the author's alone, an admin's neither", async () => {
    expect(await ada.rest.refusal('PATCH', path(), { content: 'x' })).toBe('403 forbidden');
    expect(await socket.refusal('edit_message', { ...place(), content: 'x' })).toBe('403 forbidden');
    expect((await bob.message(group.conversationId, message.messageId)).content).toBe('Hello');
  });

  it.each([
    [{ content: '' }, 'content:empty'],
    [{ content: ' \u200B' }, 'content:empty'],
    [{ content: 'x'.repeat(100_001) }, 'content:too_long'],
    [{ content: 'a\0' }, 'content:invalid_character'],
    [{}, 'content:required'],
    [{ content: 'x', senderId: 'x' }, 'senderId:unknown_field'],
  ])('is refused with %.40o', async (body, code) => {
    expect(await bob.rest.refusal('PATCH', path(), body)).toBe(`400 validation_failed ${code}`);
    expect(await own.refusal('edit_message', { ...place(), ...body })).toBe(`400 validation_failed ${code}`);
  });

  it.each(['not base64!', 'YQ=', 'Hello again'])(
    'of an encrypted message is held to base64, as its send is: %s',
    async (content) => {
      message = await bob.send(group.conversationId, 'YWJj', { contentType: 'encrypted' });
      const send = { content, contentType: 'encrypted', clientMsgId: randomUUID() };
      const refused = await bob.rest.refusal('POST', `/v1/conversations/${group.conversationId}/messages`, send);
      expect(refused).toBe('400 validation_failed content:invalid_base64');
      expect(await bob.rest.refusal('PATCH', path(), { content })).toBe(refused);
      expect(await own.refusal('edit_message', { ...place(), content })).toBe(refused);
      expect(await change(bob, 'PATCH', '', { content: 'ZGVm' })).toMatchObject({ content: 'ZGVm' });
    },
  );

  it('takes a rev of its own among forty at once', async () => {
    const contents = Array.from({ length: 40 }, (_, i) => `v${i}`);
    const edits = await Promise.all(contents.map((content) => change(bob, 'PATCH', '', { content })));
    const last = message.rev + 40;
    expect((await ada.conversation(group.conversationId)).lastRev).toBe(last);
    expect(edits.every(({ rev }) => rev > message.rev && rev <= last)).toBe(true);
    await updated(last);
    const revs = socket.seen('message_updated').filter(({ messageId }) => messageId === message.messageId);
    expect(revs.map(({ rev }) => rev)).toEqual(contents.map((_, i) => message.rev + 1 + i));
    expect(await ada.message(group.conversationId, message.messageId)).toEqual(revs.at(-1));
  });
});

describe('a deletion', () => {
  it('keeps the seq and loses the content everywhere', async () => {
    await change(cat, 'PUT', '/reactions/%F0%9F%91%8D');
    const deleted = await change(bob, 'DELETE');
    expect(deleted).toMatchObject({ seq: 1, content: '', deletedAt: expect.stringMatching(/Z$/) as unknown });
    expect(await updated(deleted.rev)).toEqual(deleted);
    expect((await ada.history(group.conversationId)).items).toEqual([deleted]);
    expect((await ada.conversation(group.conversationId)).lastMessage?.preview ?? '').not.toContain('Hello');
    const synced = await ada.sync({ cursors: [{ conversationId: group.conversationId, afterSeq: 0 }] });
    const here = synced.conversations.filter(
      ({ conversation }) => conversation.conversationId === group.conversationId,
    );
    expect(here[0]?.messages).toEqual([deleted]);
    expect(JSON.stringify(here)).not.toContain('Hello');
    expect((await ada.send(group.conversationId, 'next')).seq).toBe(2);
  });

  it('is made by its author or an admin, not by another member, over both doors', async () => {
    expect(await cat.rest.refusal('DELETE', path())).toBe('403 forbidden');
    expect(await socket.refusal('delete_message', place())).toBe('403 forbidden');
    expect((await change(ada, 'DELETE')).deletedAt).not.toBeNull();
    message = await bob.send(group.conversationId, 'mine');
    expect((await own.ask('delete_message', place())).message.deletedAt).not.toBeNull();
  });

  it('wins over every edit and reaction that comes after it', async () => {
    const deleted = await change(bob, 'DELETE');
    await bob.rest.call('PATCH', path(), { body: { content: 'undead' } });
    await bob.rest.call('PUT', path('/reactions/x'));
    const now = await ada.message(group.conversationId, message.messageId);
    expect(now).toMatchObject({ content: '', deletedAt: deleted.deletedAt });
    await bob.rest.call('DELETE', path());
    expect((await ada.message(group.conversationId, message.messageId)).deletedAt).toBe(deleted.deletedAt);
  });

  it('still answers a repeated send with the first place', async () => {
    const sent = { content: 'short-lived', clientMsgId: randomUUID() };
    const url = `/v1/conversations/${group.conversationId}/messages`;
    message = (await bob.rest.call('POST', url, { body: sent })).json as Message;
    await change(bob, 'DELETE');
    const again = await bob.rest.call('POST', url, { body: sent });
    expect([again.status, (again.json as Message).messageId]).toEqual([200, message.messageId]);
  });
});

describe('a reaction', () => {
  const thumb = encodeURIComponent('👍🏽');

  it('is counted once for a user, and taken back', async () => {
    await change(cat, 'PUT', `/reactions/${thumb}`);
    await change(cat, 'PUT', `/reactions/${thumb}`);
    const two = await change(ada, 'PUT', `/reactions/${thumb}`);
    expect(two.reactions).toEqual([{ emoji: '👍🏽', userIds: [cat.userId, ada.userId] }]);
    expect(await updated(two.rev)).toEqual(two);
    const one = await change(cat, 'DELETE', `/reactions/${thumb}`);
    expect(one.reactions).toEqual([{ emoji: '👍🏽', userIds: [ada.userId] }]);
    expect((await change(ada, 'DELETE', `/reactions/${thumb}`)).reactions).toEqual([]);
    expect((await ada.message(group.conversationId, message.messageId)).reactions).toEqual([]);
  });

  it('is made over the socket as well', async () => {
    const { message: reacted } = await socket.ask('react', { ...place(), emoji: '🎉' });
    expect(reacted.reactions).toEqual([{ emoji: '🎉', userIds: [cat.userId] }]);
    expect(await own.waitFor('message_updated', (m) => m.messageId === message.messageId)).toEqual(reacted);
    expect((await socket.ask('unreact', { ...place(), emoji: '🎉' })).message.reactions).toEqual([]);
  });

  it('takes a rev only when it changes something', async () => {
    const first = await change(cat, 'PUT', `/reactions/${thumb}`);
    expect(first.rev).toBe(message.rev + 1);
    expect((await change(cat, 'PUT', `/reactions/${thumb}`)).rev).toBe(first.rev);
    expect((await ada.conversation(group.conversationId)).lastRev).toBe(first.rev);
  });

  it.each(['%20', 'x'.repeat(65), '%00', '%ED%A0%80'])('is refused as %.10s', async (emoji) => {
    expect(await cat.rest.refusal('PUT', path(`/reactions/${emoji}`))).toMatch(
      /^(400 validation_failed|404 not_found)/,
    );
  });

  it.each([{ emoji: '' }, { emoji: 'x'.repeat(65) }, { emoji: ' ' }, { emoji: 17 }, {}])(
    'is refused as %o',
    async (body) => {
      expect(await socket.refusal('react', { ...place(), ...body })).toMatch(/^400 validation_failed emoji:/);
    },
  );

  it('of twenty users at once is counted twenty times', async () => {
    const users = await app.someUsers(...Array.from({ length: 20 }, (_, i) => `U${i}`));
    await ada.members(group.conversationId, { add: users.map(({ userId }) => userId) });
    group = await ada.conversation(group.conversationId);
    message = await ada.send(group.conversationId, 'vote');
    await Promise.all(users.map((user) => change(user, 'PUT', `/reactions/${thumb}`)));
    const { reactions } = await ada.message(group.conversationId, message.messageId);
    expect(reactions[0]?.userIds).toHaveLength(20);
  });
});

describe('a message that is not there', () => {
  const ids = [
    '1',
    '9223372036854775807',
    '9223372036854775808',
    '0',
    '-1',
    'abc',
    '1.5',
    '1e3',
    '%00',
    '..%2f',
    '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
  ];

  it.each(ids)('%s: is not found or not valid, whatever is asked', async (id) => {
    const url = `/v1/conversations/${group.conversationId}/messages/${id}`;
    const expected = /^(404 not_found|400 validation_failed)/;
    expect(await bob.rest.refusal('GET', url)).toMatch(expected);
    expect(await bob.rest.refusal('PATCH', url, { content: 'x' })).toMatch(expected);
    expect(await bob.rest.refusal('DELETE', url)).toMatch(expected);
    expect(await bob.rest.refusal('PUT', `${url}/reactions/x`)).toMatch(expected);
    expect(await bob.rest.refusal('GET', `${url}/receipts`)).toMatch(expected);
  });

  it('because it is in another conversation: is not found', async () => {
    const other = await bob.group([]);
    const url = `/v1/conversations/${other.conversationId}/messages/${message.messageId}`;
    expect(await bob.rest.refusal('GET', url)).toBe('404 not_found');
    expect(await bob.rest.refusal('PATCH', url, { content: 'x' })).toBe('404 not_found');
    expect(await bob.rest.refusal('DELETE', url)).toBe('404 not_found');
    const elsewhere = { conversationId: other.conversationId, messageId: message.messageId };
    expect(await own.refusal('edit_message', { ...elsewhere, content: 'x' })).toBe('404 not_found');
    expect(await own.refusal('delete_message', elsewhere)).toBe('404 not_found');
    expect(await own.refusal('react', { ...elsewhere, emoji: 'x' })).toBe('404 not_found');
  });
});
