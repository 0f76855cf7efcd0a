import { randomUUID } from 'node:crypto';
import { ConversationListSchema, ConversationSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { sorted } from '../clients/sorted.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let cat: TestUser;
beforeAll(async () => {
  app = await TestApp.start();
  [ada, bob, cat] = (await app.someUsers('Ada', 'Bob', 'Cat')) as [TestUser, TestUser, TestUser];
});
afterAll(() => app.stop());

const create = (user: TestUser, body: unknown) => user.rest.call('POST', '/v1/conversations', { body });
const list = (user: TestUser, query = '') =>
  user.rest.want(200, ConversationListSchema, 'GET', `/v1/conversations${query}`);

describe('a direct conversation', () => {
  it('is made once for a pair, whoever asks, also when both ask at once', async () => {
    const [eve, kim] = (await app.someUsers('Eve', 'Kim')) as [TestUser, TestUser];
    const asks = Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0
        ? create(eve, { type: 'direct', memberIds: [kim.userId] })
        : create(kim, { type: 'direct', memberIds: [eve.userId] }),
    );
    const answers = await Promise.all(asks);
    const ids = answers.map(({ json }) => ConversationSchema.parse(json).conversationId);
    expect(new Set(ids).size).toBe(1);
    expect(sorted(answers.map(({ status }) => status))).toEqual([...Array<number>(9).fill(200), 201]);
    const again = await create(kim, { type: 'direct', memberIds: [eve.userId] });
    expect([again.status, (again.json as { conversationId: string }).conversationId]).toEqual([200, ids[0]]);
  });

  it('has the fields of the contract, and no name', async () => {
    const eve = await app.user('Eve');
    const chat = await eve.direct(ada);
    expect(sorted(Object.keys(chat))).toEqual(
      sorted([
        'conversationId',
        'type',
        'name',
        'createdAt',
        'createdBy',
        'lastSeq',
        'lastRev',
        'lastMessage',
        'role',
        'lastActivityAt',
        'unreadCount',
        'lastReadMessageId',
        'lastReadSeq',
        'visibleFromSeq',
        'memberCount',
        'members',
        'settings',
      ]),
    );
    expect(chat).toMatchObject({
      type: 'direct',
      name: null,
      createdBy: eve.userId,
      lastSeq: 0,
      lastRev: 1,
      lastMessage: null,
      unreadCount: 0,
      lastReadMessageId: null,
      lastReadSeq: 0,
      visibleFromSeq: 1,
      memberCount: 2,
      settings: { mutedUntil: null, pinned: false, archived: false },
    });
    expect(sorted(chat.members.map(({ userId }) => userId))).toEqual(sorted([eve.userId, ada.userId]));
    expect(chat.lastActivityAt).toBe(chat.createdAt);
  });

  it.each<[string, () => object, string]>([
    ['with oneself', () => ({ type: 'direct', memberIds: [ada.userId] }), '400 validation_failed memberIds'],
    ['with nobody', () => ({ type: 'direct', memberIds: [] }), '400 validation_failed memberIds'],
    ['with two', () => ({ type: 'direct', memberIds: [bob.userId, cat.userId] }), '400 validation_failed memberIds'],
    ['with a name', () => ({ type: 'direct', memberIds: [bob.userId], name: 'x' }), '400 validation_failed name'],
    ['with someone unknown', () => ({ type: 'direct', memberIds: [randomUUID()] }), '400 validation_failed memberIds'],
    ['with nonsense', () => ({ type: 'direct', memberIds: ['bob'] }), '400 validation_failed memberIds'],
    ['with a text', () => ({ type: 'direct', memberIds: bob.userId }), '400 validation_failed memberIds:invalid_type'],
    ['of no type', () => ({ memberIds: [bob.userId] }), '400 validation_failed type'],
    ['of another type', () => ({ type: 'channel', memberIds: [bob.userId] }), '400 validation_failed type'],
    ['with an id', () => ({ type: 'direct', memberIds: [bob.userId], conversationId: randomUUID() }), 'unknown_field'],
  ])('is refused %s', async (_, body, refusal) => {
    expect(await ada.rest.refusal('POST', '/v1/conversations', body())).toContain(refusal);
  });

  it('never changes its members, nor its name', async () => {
    const eve = await app.user('Eve');
    const { conversationId } = await eve.direct(ada);
    const members = `/v1/conversations/${conversationId}/members`;
    expect(await eve.rest.refusal('PUT', members, { add: [bob.userId] })).toBe('409 conflict');
    expect(await eve.rest.refusal('PUT', members, { remove: [ada.userId] })).toBe('409 conflict');
    expect(await eve.rest.refusal('PUT', members, { remove: [eve.userId] })).toBe('409 conflict');
    const renaming = await eve.rest.refusal('PATCH', `/v1/conversations/${conversationId}`, { name: 'x' });
    expect(renaming).toMatch(/^(409 conflict|403 forbidden)/);
  });
});

describe('a group', () => {
  it('makes its creator an admin and everybody else a member, and uses rev 1', async () => {
    const group = await ada.group([bob, cat], 'Engine room ⚙️');
    expect(group).toMatchObject({ type: 'group', name: 'Engine room ⚙️', role: 'admin', memberCount: 3, lastRev: 1 });
    const roles = Object.fromEntries(group.members.map(({ userId, role }) => [userId, role]));
    expect(roles).toEqual({ [ada.userId]: 'admin', [bob.userId]: 'member', [cat.userId]: 'member' });
    expect((await bob.conversation(group.conversationId)).role).toBe('member');
  });

  it('may have no name, no others, and somebody named twice', async () => {
    expect((await ada.group([], null)).memberCount).toBe(1);
    expect((await ada.group([bob, bob, ada])).memberCount).toBe(2);
  });

  it('is made once for a repeated clientRequestId, also when asked for at once', async () => {
    const body = { type: 'group', memberIds: [bob.userId], name: 'Once', clientRequestId: randomUUID() };
    const answers = await Promise.all(Array.from({ length: 8 }, () => create(ada, body)));
    const ids = new Set(answers.map(({ json }) => ConversationSchema.parse(json).conversationId));
    expect(ids.size).toBe(1);
    expect(sorted(answers.map(({ status }) => status))).toEqual([...Array<number>(7).fill(200), 201]);
    const other = await create(bob, { ...body, memberIds: [ada.userId] });
    expect([other.status, ids.has((other.json as { conversationId: string }).conversationId)]).toEqual([201, false]);
  });

  it('that its creator has left is not found by its clientRequestId any more, as the description says', async () => {
    const body = { type: 'group', memberIds: [bob.userId], clientRequestId: randomUUID() };
    const { conversationId } = ConversationSchema.parse((await create(ada, body)).json);
    await ada.members(conversationId, { roles: { [bob.userId]: 'admin' }, remove: [ada.userId] });
    expect(await ada.rest.refusal('POST', '/v1/conversations', body)).toBe('404 not_found');
    const document = (await ada.rest.call('GET', '/docs-json')).json as {
      paths: Record<string, { post: { responses: Record<string, unknown> } }>;
    };
    expect(Object.keys(document.paths['/v1/conversations']?.post.responses ?? {})).toContain('404');
  });

  it.each<[string, () => object, string]>([
    ['an unknown user', () => ({ memberIds: [bob.userId, randomUUID()] }), '400 validation_failed memberIds'],
    ['a name of 101 characters', () => ({ memberIds: [], name: 'x'.repeat(101) }), 'name:too_long'],
    ['an empty name', () => ({ memberIds: [], name: '  ' }), 'name:empty'],
    ['a name with NUL', () => ({ memberIds: [], name: 'a\0' }), 'name:invalid_character'],
    ['an odd clientRequestId', () => ({ memberIds: [], clientRequestId: 'x' }), 'clientRequestId:'],
    ['no members', () => ({}), 'memberIds:required'],
  ])('is refused with %s', async (_, body, refusal) => {
    expect(await ada.rest.refusal('POST', '/v1/conversations', { type: 'group', ...body() })).toContain(refusal);
  });

  it('does not tell which of the members are unknown', async () => {
    const unknown = randomUUID();
    const body = { type: 'group', memberIds: [bob.userId, unknown] };
    const answer = await ada.rest.call('POST', '/v1/conversations', { body });
    expect(answer.status).toBe(400);
    expect(answer.text).not.toContain(unknown);
    expect(answer.text).not.toContain('memberIds.1');
  });

  it('is renamed by admins, and everybody is told', async () => {
    const group = await ada.group([bob]);
    const [socket, own] = await Promise.all([bob.connect(), ada.connect()]);
    const path = `/v1/conversations/${group.conversationId}`;
    expect(await bob.rest.refusal('PATCH', path, { name: 'Mine' })).toBe('403 forbidden');
    const renamed = await ada.rest.want(200, ConversationSchema, 'PATCH', path, { name: 'Bridge' });
    expect(renamed).toMatchObject({ name: 'Bridge', lastRev: 2, lastSeq: 0 });
    const event = { conversationId: group.conversationId, rev: 2, name: 'Bridge' };
    expect(await socket.waitFor('conversation_updated')).toEqual(event);
    expect(await own.waitFor('conversation_updated')).toEqual(event);
    expect((await ada.rest.want(200, ConversationSchema, 'PATCH', path, {})).lastRev).toBe(2);
    expect(await ada.rest.refusal('PATCH', path, { name: '' })).toBe('400 validation_failed name:empty');
    expect(await ada.rest.refusal('PATCH', path, { name: 'x', type: 'direct' })).toContain('type:unknown_field');
  });

  it('is told to its members live, to each as it sees it', async () => {
    const [socket, own] = await Promise.all([bob.connect(), ada.connect()]);
    const { conversationId } = await ada.group([bob]);
    const isIt = (c: { conversationId: string }) => c.conversationId === conversationId;
    expect(await socket.waitFor('conversation_created', isIt)).toMatchObject({ role: 'member', unreadCount: 0 });
    expect(await own.waitFor('conversation_created', isIt)).toMatchObject({ role: 'admin' });
  });
});

describe('an id in capital letters', () => {
  it('is the same id', async () => {
    const { conversationId } = await ada.group([bob]);
    const { messageId } = await ada.send(conversationId.toUpperCase(), 'loud');
    expect((await bob.message(conversationId, messageId)).conversationId).toBe(conversationId);
    expect((await bob.conversation(conversationId.toUpperCase())).lastSeq).toBe(1);
    const body = { type: 'group', memberIds: [bob.userId.toUpperCase(), bob.userId] };
    const answer = await create(ada, body);
    expect([answer.status, (answer.json as { memberCount: number }).memberCount]).toEqual([201, 2]);
  });
});

describe('the list of conversations', () => {
  it('has the newest activity first, with a preview of the last message', async () => {
    const eve = await app.user('Eve');
    const first = await eve.group([ada], 'first');
    const second = await eve.group([ada], 'second');
    const message = await ada.send(first.conversationId, 'x'.repeat(500));
    const { items, nextCursor } = await list(eve);
    expect(items.map(({ name }) => name)).toEqual(['first', 'second']);
    expect(nextCursor).toBeNull();
    expect(items[0]?.lastMessage).toMatchObject({ messageId: message.messageId, seq: 1, senderId: ada.userId });
    expect(items[0]?.lastMessage?.preview.length).toBeLessThan(500);
    expect(items[0]).toMatchObject({ lastSeq: 1, unreadCount: 1, lastActivityAt: message.timestamp });
    expect(items[1]).toEqual(await eve.conversation(second.conversationId));
  });

  it('pages through everything once, with a limit', async () => {
    const eve = await app.user('Eve');
    const made: string[] = [];
    for (let i = 0; i < 7; i++) made.push((await eve.group([], `g${i}`)).conversationId);
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let pages = 0; pages === 0 || cursor !== null; pages++) {
      const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: Awaited<ReturnType<typeof list>> = await list(eve, `?limit=3${more}`);
      expect(page.items).toHaveLength(pages === 2 ? 1 : 3);
      seen.push(...page.items.map(({ conversationId }) => conversationId));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(made.toReversed());
  });

  it('shows nothing of other people', async () => {
    const eve = await app.user('Eve');
    await ada.group([bob]);
    expect((await list(eve)).items).toEqual([]);
  });

  it.each([
    'limit=0',
    'limit=-1',
    'limit=101',
    'limit=1e9',
    'limit=abc',
    'limit=',
    'archived=maybe',
    'cursor=garbage',
    'page=2',
  ])('refuses ?%s', async (query) => {
    expect(await ada.rest.refusal('GET', `/v1/conversations?${query}`)).toMatch(/^400 validation_failed/);
  });

  it("refuses another user's cursor and a repeated parameter", async () => {
    await ada.group([]);
    await ada.group([]);
    const cursor = encodeURIComponent((await list(ada, '?limit=1')).nextCursor as string);
    expect(await bob.rest.refusal('GET', `/v1/conversations?cursor=${cursor}`)).toMatch(/^400 validation_failed/);
    expect(await ada.rest.refusal('GET', '/v1/conversations?limit=1&limit=2')).toMatch(/^400 validation_failed/);
  });
});

describe("a member's own settings", () => {
  it('are kept for that member alone, field by field', async () => {
    const group = await ada.group([bob]);
    const path = `/v1/conversations/${group.conversationId}/settings`;
    const until = '2030-01-02T03:04:05.678Z';
    await ada.rest.call('PUT', path, { body: { mutedUntil: until } });
    const answer = await ada.rest.call('PUT', path, { body: { pinned: true } });
    expect(answer.status).toBe(200);
    const settings = { mutedUntil: until, pinned: true, archived: false };
    expect((await ada.conversation(group.conversationId)).settings).toEqual(settings);
    expect((await bob.conversation(group.conversationId)).settings.pinned).toBe(false);
    await ada.rest.call('PUT', path, { body: { mutedUntil: null } });
    expect((await ada.conversation(group.conversationId)).settings.mutedUntil).toBeNull();
    expect((await ada.conversation(group.conversationId)).lastSeq).toBe(0);
  });

  it.each([
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['9999-12-31T23:59:59.999+14:00', '9999-12-31T09:59:59.999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
    ['0000-01-01T14:00:00+14:00', '0000-01-01T00:00:00.000Z'],
  ])('take any time that has four digits for its year: %s', async (mutedUntil, kept) => {
    const { conversationId } = await ada.group([]);
    const answer = await ada.rest.call('PUT', `/v1/conversations/${conversationId}/settings`, { body: { mutedUntil } });
    expect([answer.status, answer.json]).toEqual([200, { mutedUntil: kept, pinned: false, archived: false }]);
    expect((await ada.conversation(conversationId)).settings.mutedUntil).toBe(kept);
  });

  it.each([
    '9999-12-31T23:59:59.999-14:00',
    '9999-12-31T23:59:59.999-00:01',
    '0000-01-01T00:00:00+14:00',
    '+010000-01-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
  ])('refuse a time of a year that takes more, and what is no time: %s', async (mutedUntil) => {
    const { conversationId } = await ada.group([]);
    const path = `/v1/conversations/${conversationId}/settings`;
    expect(await ada.rest.refusal('PUT', path, { mutedUntil })).toBe('400 validation_failed mutedUntil:invalid_format');
    expect((await ada.conversation(conversationId)).settings.mutedUntil).toBeNull();
  });

  it('filter the list by archived', async () => {
    const eve = await app.user('Eve');
    const kept = await eve.group([], 'kept');
    const archived = await eve.group([], 'archived');
    await eve.rest.call('PUT', `/v1/conversations/${archived.conversationId}/settings`, { body: { archived: true } });
    const names = async (query: string) => (await list(eve, query)).items.map(({ name }) => name ?? '');
    expect(await names('?archived=true')).toEqual(['archived']);
    expect(await names('?archived=false')).toEqual([kept.name]);
    expect(sorted(await names(''))).toEqual(['archived', 'kept']);
  });

  it.each([
    { pinned: 'yes' },
    { mutedUntil: 'tomorrow' },
    { mutedUntil: 17 },
    { archived: null },
    { theme: 'dark' },
    [],
  ])('refuse %o', async (body) => {
    const { conversationId } = await ada.group([]);
    const refusal = await ada.rest.refusal('PUT', `/v1/conversations/${conversationId}/settings`, body);
    expect(refusal).toMatch(/^400 validation_failed/);
  });
});

describe("somebody else's conversation", () => {
  it('answers like one that does not exist, on every verb', async () => {
    const { conversationId } = await ada.group([bob]);
    const { messageId } = await ada.send(conversationId, 'secret');
    const eve = await app.user('Eve');
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'x' }],
      ['GET', '/members'],
      ['PUT', '/members', { add: [eve.userId] }],
      ['PUT', '/members', { remove: [eve.userId] }],
      ['POST', '/messages', { content: 'x', clientMsgId: 'a' }],
      ['GET', '/messages'],
      ['GET', `/messages?before=${messageId}`],
      ['GET', `/messages/${messageId}`],
      ['PATCH', `/messages/${messageId}`, { content: 'x' }],
      ['DELETE', `/messages/${messageId}`],
      ['PUT', `/messages/${messageId}/reactions/x`],
      ['DELETE', `/messages/${messageId}/reactions/x`],
      ['PUT', '/read', { lastReadMessageId: messageId }],
      ['GET', `/messages/${messageId}/receipts`],
      ['PUT', '/settings', { pinned: true }],
    ];
    for (const [method, path, body] of calls) {
      const [theirs, nobodys] = await Promise.all(
        [conversationId, randomUUID()].map(async (id) => {
          const answer = await eve.rest.call(method, `/v1/conversations/${id}${path}`, { body });
          const { requestId: _, ...problem } = answer.json as Record<string, unknown>;
          return { status: answer.status, problem };
        }),
      );
      expect(theirs, `${method} ${path}`).toEqual(nobodys);
      expect(theirs?.problem.code, `${method} ${path}`).toBe('not_found');
    }
  });

  it.each(['nonsense', '..%2f..', '%00', 'x'.repeat(10_000)])(
    'malformed (%.10s): not found or not valid',
    async (id) => {
      const refusal = await ada.rest.refusal('GET', `/v1/conversations/${id}`);
      expect(refusal).toMatch(/^(404 not_found|400 validation_failed)/);
    },
  );
});
