import { randomUUID } from 'node:crypto';
import { MessageSchema, type Conversation, type Message } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let chat: Conversation;
let adaSocket: TestSocket;
let bobSocket: TestSocket;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  chat = await ada.direct(bob);
  [adaSocket, bobSocket] = await Promise.all([ada.connect(), bob.connect()]);
});
afterAll(() => app.stop());

const messagesPath = () => `/v1/conversations/${chat.conversationId}/messages`;
const sending = (change: object = {}) => ({
  conversationId: chat.conversationId,
  content: 'Hello',
  clientMsgId: randomUUID(),
  ...change,
});
const body = (change: object = {}) => ({ content: 'Hello', clientMsgId: randomUUID(), ...change });
const post = (user: TestUser, given: unknown) => user.rest.call('POST', messagesPath(), { body: given });

describe('a message', () => {
  it('has the fields of the contract', async () => {
    const sent = body({ content: 'Hello, Bob' });
    const message = MessageSchema.parse((await post(ada, sent)).json);
    expect(message).toEqual({
      messageId: expect.stringMatching(/^[1-9]\d{0,18}$/) as unknown,
      seq: expect.any(Number) as unknown,
      rev: expect.any(Number) as unknown,
      conversationId: chat.conversationId,
      senderId: ada.userId,
      content: 'Hello, Bob',
      contentType: 'text',
      clientMsgId: sent.clientMsgId,
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown,
      media: [],
      replyToMessageId: null,
      editedAt: null,
      deletedAt: null,
      reactions: [],
    });
    expect(await ada.message(chat.conversationId, message.messageId)).toEqual(message);
    expect(await bob.message(chat.conversationId, message.messageId)).toEqual(message);
    const made = Number((BigInt(message.messageId) >> 23n) + 1_704_067_200_000n);
    expect(Math.abs(made - Date.parse(message.timestamp))).toBeLessThan(1_000);
  });

  it('is answered over the socket with its place', async () => {
    const sent = sending();
    const answer = await adaSocket.raw('send_message', sent);
    expect(answer).toEqual({
      ok: true,
      status: 'stored',
      messageId: expect.any(String) as unknown,
      seq: expect.any(Number) as unknown,
      rev: expect.any(Number) as unknown,
      timestamp: expect.any(String) as unknown,
      clientMsgId: sent.clientMsgId,
      duplicate: false,
    });
    const { messageId } = answer as Message;
    expect((await bob.history(chat.conversationId)).items[0]).toMatchObject({ messageId, content: 'Hello' });
  });

  it('reaches every device of every member but the socket that sent it, as the same object', async () => {
    const other = await ada.connect();
    const sent = sending({ content: 'to all devices' });
    await adaSocket.send(sent);
    const isIt = ({ clientMsgId }: Message) => clientMsgId === sent.clientMsgId;
    const seen = await bobSocket.waitFor('new_message', isIt);
    expect(await other.waitFor('new_message', isIt)).toEqual(seen);
    expect(await bob.message(chat.conversationId, seen.messageId)).toEqual(seen);
    const marker = await bob.send(chat.conversationId, 'marker');
    await adaSocket.waitFor('new_message', ({ messageId }) => messageId === marker.messageId);
    expect(adaSocket.seen('new_message').filter(isIt)).toEqual([]);
  });

  it('sent over HTTP reaches all sockets of the sender too', async () => {
    const message = await ada.send(chat.conversationId, 'over HTTP');
    const isIt = ({ messageId }: Message) => messageId === message.messageId;
    const seen = await Promise.all([adaSocket, bobSocket].map((socket) => socket.waitFor('new_message', isIt)));
    expect(seen).toEqual([message, message]);
  });

  it('takes the next seq and rev; a hundred at once from both sides and doors make one order without a gap', async () => {
    const group = await ada.group([bob], 'order');
    const sends = Array.from({ length: 100 }, async (_, i): Promise<Pick<Message, 'messageId' | 'seq' | 'rev'>> => {
      const given = { content: `m${i}`, clientMsgId: randomUUID() };
      if (i % 3 === 0) return ada.send(group.conversationId, given.content);
      const socket = i % 3 === 1 ? adaSocket : bobSocket;
      return socket.send({ conversationId: group.conversationId, ...given });
    });
    const placed = (await Promise.all(sends)).toSorted((a, b) => a.seq - b.seq);
    expect(placed.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(placed.map(({ rev }) => rev)).toEqual(Array.from({ length: 100 }, (_, i) => i + 2));
    const ids = placed.map(({ messageId }) => BigInt(messageId));
    expect(ids.every((id, i) => i === 0 || id > (ids[i - 1] as bigint))).toBe(true);
    const page = await bob.history(group.conversationId, '?limit=100');
    expect(page.items.map(({ messageId }) => messageId)).toEqual(placed.map((m) => m.messageId).toReversed());
  });

  it('keeps its place among those of one socket that does not wait for answers', async () => {
    const group = await ada.group([bob], 'pipelined');
    const { conversationId } = group;
    const contents = Array.from({ length: 50 }, (_, i) => `in order ${i}`);
    await Promise.all(
      contents.map((content) => adaSocket.send({ conversationId, content, clientMsgId: randomUUID() })),
    );
    const { items } = await ada.history(conversationId, '?limit=100');
    expect(items.map(({ content }) => content).toReversed()).toEqual(contents);
  });

  it('may answer another one of its conversation', async () => {
    const first = await ada.send(chat.conversationId, 'question');
    const reply = await bob.send(chat.conversationId, 'answer', { replyToMessageId: first.messageId });
    expect(reply.replyToMessageId).toBe(first.messageId);
    const elsewhere = await ada.send((await ada.group([])).conversationId, 'elsewhere');
    const foreign = body({ replyToMessageId: elsewhere.messageId });
    expect(await ada.rest.refusal('POST', messagesPath(), foreign)).toBe('404 not_found');
    expect(await adaSocket.refusal('send_message', sending({ replyToMessageId: elsewhere.messageId }))).toBe(
      '404 not_found',
    );
    expect(await ada.rest.refusal('POST', messagesPath(), body({ replyToMessageId: '1' }))).toBe('404 not_found');
    expect(await ada.rest.refusal('POST', messagesPath(), body({ mediaIds: [randomUUID()] }))).toBe('404 not_found');
  });

  it.each(['text', 'image', 'file'])('may be of the type %s', async (contentType) => {
    expect((await ada.send(chat.conversationId, 'x', { contentType })).contentType).toBe(contentType);
  });

  it('may be encrypted: base64 that is kept as it is', async () => {
    const content = Buffer.from('opaque').toString('base64');
    const message = await ada.send(chat.conversationId, content, { contentType: 'encrypted' });
    expect(message).toMatchObject({ content, contentType: 'encrypted' });
    const bad = body({ content: 'not base64!', contentType: 'encrypted' });
    expect(await ada.rest.refusal('POST', messagesPath(), bad)).toContain('400 validation_failed content:');
  });
});

describe('the text of a message', () => {
  const texts: [string, string][] = [
    ['100,000 code points of emoji', '👍'.repeat(100_000)],
    ['99,999 combining marks', `a${'\u0301'.repeat(99_999)}`],
    ['bidi controls', '\u202Eabc\u202C \u2066def\u2069'],
    ['a script tag', '<script>alert(1)</script>'],
    ['white space around', '  \n\t x \r\n '],
    ['a family and a flag', '👨‍👩‍👧‍👦🇨🇭'],
    ['quotes and backslashes', '"\\" \\u0000 \\n \u2028\u2029 {"a":[1]} $1 %s \u007f\u0001'],
    ['decomposed and composed letters', 'e\u0301 é ﬁ'],
  ];

  it.each(texts)('is stored exactly as sent: %s', async (_, content) => {
    const message = await ada.send(chat.conversationId, content);
    expect(message.content === content).toBe(true);
    const seen = await bobSocket.waitFor('new_message', ({ messageId }) => messageId === message.messageId);
    expect(seen.content === content).toBe(true);
    const { messageId } = await adaSocket.send(sending({ content }));
    expect((await bob.message(chat.conversationId, messageId)).content === content).toBe(true);
  });

  const refused: [string, unknown, string][] = [
    ['100,001 code points', 'x'.repeat(100_001), 'content:too_long'],
    ['100,001 emoji', '👍'.repeat(100_001), 'content:too_long'],
    ['nothing', '', 'content:empty'],
    ['spaces', ' \n\t ', 'content:empty'],
    ['zero-width characters', '\u200B\u200D\uFEFF', 'content:empty'],
    ['NUL', 'a\0b', 'content:invalid_character'],
    ['a number', 17, 'content:invalid_type'],
    ['an array', ['x'], 'content:invalid_type'],
    ['null', null, 'content:invalid_type'],
  ];
  it.each(refused)('is refused with %s, at both doors', async (_, content, code) => {
    expect(await ada.rest.refusal('POST', messagesPath(), body({ content }))).toBe(`400 validation_failed ${code}`);
    expect(await adaSocket.refusal('send_message', sending({ content }))).toBe(`400 validation_failed ${code}`);
  });

  it('is refused with a lone surrogate', async () => {
    const rawBody = `{"content":"a\\ud800b","clientMsgId":"${randomUUID()}"}`;
    const answer = await ada.rest.call('POST', messagesPath(), { rawBody });
    expect([answer.status, answer.text.includes('"invalid_unicode"')]).toEqual([400, true]);
  });

  it('is needed, as is a clientMsgId', async () => {
    const { content: _, ...silent } = body();
    expect(await ada.rest.refusal('POST', messagesPath(), silent)).toMatch(/^400 validation_failed content:/);
    expect(await ada.rest.refusal('POST', messagesPath(), { content: 'x' })).toBe(
      '400 validation_failed clientMsgId:required',
    );
  });

  it.each(['', 'a b', 'x'.repeat(65), 'é', 'x'.repeat(36_000), 17, null, ['x']])(
    'is not taken with the clientMsgId %.20j',
    async (clientMsgId) => {
      const refusal = await ada.rest.refusal('POST', messagesPath(), body({ clientMsgId }));
      expect(refusal).toMatch(/^400 validation_failed clientMsgId:/);
      expect(await adaSocket.refusal('send_message', sending({ clientMsgId }))).toMatch(
        /^400 validation_failed clientMsgId:/,
      );
    },
  );

  it.each(['senderId', 'seq', 'messageId', 'timestamp', 'rev', 'role', 'conversation_id'])(
    'is not taken with a %s',
    async (field) => {
      const given = body({ [field]: ada.userId });
      expect(await ada.rest.refusal('POST', messagesPath(), given)).toBe(
        `400 validation_failed ${field}:unknown_field`,
      );
      const refusal = await adaSocket.refusal('send_message', sending({ [field]: ada.userId }));
      expect(refusal).toBe(`400 validation_failed ${field}:unknown_field`);
    },
  );

  it('is not taken twice over in its body', async () => {
    const given = body({ conversationId: chat.conversationId });
    expect(await ada.rest.refusal('POST', messagesPath(), given)).toContain('conversationId:unknown_field');
  });
});

describe('a repeated clientMsgId', () => {
  it("gives the first one's answer, over either door", async () => {
    const sent = body({ content: 'once' });
    const first = await post(ada, sent);
    expect(first.status).toBe(201);
    const message = first.json as Message;
    const again = await post(ada, sent);
    expect([again.status, again.json]).toEqual([200, message]);
    const stored = await adaSocket.send(sending(sent));
    const { messageId, seq, timestamp } = message;
    expect(stored).toMatchObject({ status: 'stored', duplicate: true, messageId, seq, timestamp });
    expect((await ada.conversation(chat.conversationId)).lastSeq).toBe(seq);
  });

  it('stores one message when it comes fifty times at once, with fifty equal answers', async () => {
    const sent = body({ content: 'fifty' });
    const asked = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        i % 2 === 0 ? post(ada, sent).then(({ json }) => json as Message) : adaSocket.send(sending(sent)),
      ),
    );
    expect(new Set(asked.map(({ messageId, seq }) => `${messageId} ${seq}`)).size).toBe(1);
    const { items } = await bob.history(chat.conversationId, '?limit=100');
    expect(items.filter(({ clientMsgId }) => clientMsgId === sent.clientMsgId)).toHaveLength(1);
  });

  it('with other content is refused, whatever differs', async () => {
    const first = await ada.send(chat.conversationId, 'target');
    const sent = body({ content: 'original' });
    await post(ada, sent);
    for (const change of [{ content: 'other' }, { contentType: 'file' }, { replyToMessageId: first.messageId }]) {
      expect(await ada.rest.refusal('POST', messagesPath(), { ...sent, ...change })).toBe('409 client_msg_id_reused');
      expect(await adaSocket.refusal('send_message', sending({ ...sent, ...change }))).toBe('409 client_msg_id_reused');
    }
  });

  it('belongs to its sender and its conversation', async () => {
    const sent = body({ content: 'shared id' });
    const [mine, theirs] = await Promise.all([post(ada, sent), post(bob, { ...sent, content: 'mine' })]);
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    const group = await ada.group([bob]);
    const elsewhere = await ada.send(group.conversationId, 'elsewhere', { clientMsgId: sent.clientMsgId });
    expect(elsewhere.seq).toBe(1);
  });

  it("gives the first one's answer also after the sender was blocked, over either door", async () => {
    const eve = await app.user('Eve');
    const direct = await eve.direct(bob);
    const path = `/v1/conversations/${direct.conversationId}/messages`;
    const [sent, socket] = [body({ content: 'before the block' }), await eve.connect()];
    const first = await eve.rest.want(201, MessageSchema, 'POST', path, sent);
    await bob.rest.wantEmpty(204, 'PUT', `/v1/users/me/blocks/${eve.userId}`);
    expect(await eve.rest.want(200, MessageSchema, 'POST', path, sent)).toEqual(first);
    const onSocket = { conversationId: direct.conversationId, ...sent };
    expect(await socket.send(onSocket)).toMatchObject({ duplicate: true, messageId: first.messageId });
    const changed = { ...sent, content: 'after the block' };
    expect(await eve.rest.refusal('POST', path, changed)).toBe('409 client_msg_id_reused');
    expect(await socket.refusal('send_message', { ...onSocket, ...changed })).toBe('409 client_msg_id_reused');
    expect(await eve.rest.refusal('POST', path, body())).toBe('403 blocked');
  });

  it("gives the first one's answer also to a sender who came back after what it replied to", async () => {
    const { conversationId } = await ada.group([bob]);
    const path = `/v1/conversations/${conversationId}/messages`;
    const { messageId: replyToMessageId } = await ada.send(conversationId, 'question');
    const sent = body({ content: 'answer', replyToMessageId });
    const first = await bob.rest.want(201, MessageSchema, 'POST', path, sent);
    await ada.members(conversationId, { remove: [bob.userId] });
    expect(await bob.rest.refusal('POST', path, sent)).toBe('404 not_found');
    await ada.members(conversationId, { add: [bob.userId] });
    expect(await bob.rest.want(200, MessageSchema, 'POST', path, sent)).toEqual(first);
    expect(await bobSocket.send({ conversationId, ...sent })).toMatchObject({ duplicate: true, seq: first.seq });
    expect(await bob.rest.refusal('POST', path, body({ replyToMessageId }))).toBe('404 not_found');
  });

  it('gives the message as it is now after an edit', async () => {
    const sent = body({ content: 'before' });
    const { messageId } = (await post(ada, sent)).json as Message;
    await ada.rest.want(200, MessageSchema, 'PATCH', `${messagesPath()}/${messageId}`, { content: 'after' });
    const again = await post(ada, sent);
    expect([again.status, (again.json as Message).messageId]).toEqual([200, messageId]);
  });
});

describe('a stored answer', () => {
  it('is readable at once by everybody, in history, lists and by id', async () => {
    for (let i = 0; i < 20; i++) {
      const { messageId, seq } = await adaSocket.send(sending({ content: `read ${i}` }));
      const [page, seen] = await Promise.all([
        bob.history(chat.conversationId, '?limit=1'),
        bob.conversation(chat.conversationId),
      ]);
      expect(page.items[0]?.messageId).toBe(messageId);
      expect(seen).toMatchObject({ lastSeq: seq, lastMessage: { messageId } });
    }
  });
});
