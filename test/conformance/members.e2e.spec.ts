import { randomUUID } from 'node:crypto';
import { type Conversation, MemberListSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import type { TestUser } from '../clients/test-user.js';
import { sorted } from '../clients/sorted.js';

let app: TestApp;
let ada: TestUser;
let bob: TestUser;
let cat: TestUser;
let dan: TestUser;
beforeAll(async () => {
  app = await TestApp.start({ GROUP_MEMBERS_MAX: '25' });
  [ada, bob, cat, dan] = (await app.someUsers('Ada', 'Bob', 'Cat', 'Dan')) as [TestUser, TestUser, TestUser, TestUser];
});
afterAll(() => app.stop());

const path = (conversationId: string) => `/v1/conversations/${conversationId}/members`;
const rolesOf = async (user: TestUser, conversationId: string) => {
  const { items } = await user.rest.want(200, MemberListSchema, 'GET', path(conversationId));
  return Object.fromEntries(items.map(({ userId, role }) => [userId, role]));
};

describe('members of a group', () => {
  it('are added by an admin with one rev, and told to all', async () => {
    const { conversationId } = await ada.group([bob]);
    const [old, fresh] = await Promise.all([bob.connect(), cat.connect()]);
    const after = await ada.members(conversationId, { add: [cat.userId, dan.userId] });
    expect(after).toMatchObject({ memberCount: 4, lastRev: 2, lastSeq: 0 });
    const told = await old.waitFor('members_changed');
    expect(told).toMatchObject({ conversationId, rev: 2, removed: [], roles: {} });
    expect(sorted(told.added.map(({ userId }) => userId))).toEqual(sorted([cat.userId, dan.userId]));
    expect(told.added.find(({ userId }) => userId === cat.userId)).toMatchObject({
      displayName: 'Cat',
      role: 'member',
    });
    const created = await fresh.waitFor('conversation_created', (c) => c.conversationId === conversationId);
    expect(created).toMatchObject({ role: 'member', memberCount: 4 });
  });

  it('are removed by an admin; anyone removes themself', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const removed = await bob.connect();
    const left = await cat.connect();
    expect(await bob.rest.refusal('PUT', path(conversationId), { remove: [cat.userId] })).toBe('403 forbidden');
    expect((await ada.members(conversationId, { remove: [bob.userId] })).memberCount).toBe(2);
    expect(await removed.waitFor('conversation_removed')).toEqual({ conversationId });
    expect(await left.waitFor('members_changed')).toMatchObject({ conversationId, removed: [bob.userId], added: [] });
    const leaving = await cat.rest.call('PUT', path(conversationId), { body: { remove: [cat.userId] } });
    expect(leaving.status).toBeLessThan(300);
    expect(await left.waitFor('conversation_removed')).toEqual({ conversationId });
    expect(await cat.rest.refusal('GET', `/v1/conversations/${conversationId}`)).toBe('404 not_found');
    expect(await rolesOf(ada, conversationId)).toEqual({ [ada.userId]: 'admin' });
  });

  it('get their roles from admins alone', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const socket = await cat.connect();
    const promote = { roles: { [bob.userId]: 'admin' } };
    expect(await bob.rest.refusal('PUT', path(conversationId), promote)).toBe('403 forbidden');
    expect(await bob.rest.refusal('PUT', path(conversationId), { add: [dan.userId] })).toBe('403 forbidden');
    await ada.members(conversationId, promote);
    expect((await socket.waitFor('members_changed')).roles).toEqual({ [bob.userId]: 'admin' });
    expect((await bob.conversation(conversationId)).role).toBe('admin');
    await bob.members(conversationId, { roles: { [ada.userId]: 'member' } });
    expect(await ada.rest.refusal('PUT', path(conversationId), { add: [dan.userId] })).toBe('403 forbidden');
  });

  it('keep at least one admin', async () => {
    const { conversationId } = await ada.group([bob]);
    const refusal = (change: object) => ada.rest.refusal('PUT', path(conversationId), change);
    expect(await refusal({ remove: [ada.userId] })).toBe('409 last_admin');
    expect(await refusal({ roles: { [ada.userId]: 'member' } })).toBe('409 last_admin');
    expect(await rolesOf(bob, conversationId)).toEqual({ [ada.userId]: 'admin', [bob.userId]: 'member' });
    await ada.members(conversationId, { roles: { [bob.userId]: 'admin', [ada.userId]: 'member' } });
    expect(await rolesOf(bob, conversationId)).toEqual({ [ada.userId]: 'member', [bob.userId]: 'admin' });
  });

  it('are added, removed and promoted by one request, with a rev for each kind', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const socket = await ada.connect();
    const change = { add: [dan.userId], remove: [cat.userId], roles: { [bob.userId]: 'admin' } };
    const after = await ada.members(conversationId, change);
    expect(after).toMatchObject({ memberCount: 3, lastRev: 4 });
    expect(await rolesOf(ada, conversationId)).toEqual({
      [ada.userId]: 'admin',
      [bob.userId]: 'admin',
      [dan.userId]: 'member',
    });
    await socket.waitFor('members_changed', ({ rev }) => rev === 4);
    expect(socket.seen('members_changed').map(({ rev }) => rev)).toEqual([2, 3, 4]);
  });

  it('change all together or not at all', async () => {
    const { conversationId } = await ada.group([bob]);
    const change = { add: [cat.userId], remove: [ada.userId] };
    expect(await ada.rest.refusal('PUT', path(conversationId), change)).toBe('409 last_admin');
    expect(await rolesOf(ada, conversationId)).toEqual({ [ada.userId]: 'admin', [bob.userId]: 'member' });
    expect((await ada.conversation(conversationId)).lastRev).toBe(1);
  });

  it('change once when the same is asked for twice', async () => {
    const { conversationId } = await ada.group([bob]);
    await ada.members(conversationId, { add: [cat.userId] });
    expect(await ada.members(conversationId, { add: [cat.userId] })).toMatchObject({ memberCount: 3, lastRev: 2 });
    expect(await ada.members(conversationId, { remove: [cat.userId] })).toMatchObject({ memberCount: 2, lastRev: 3 });
  });

  it.each<[object | (() => object), string]>([
    [{}, '400 validation_failed'],
    [{ add: 'x' }, '400 validation_failed add:invalid_type'],
    [{ add: ['x'] }, '400 validation_failed add.0'],
    [{ roles: [] }, '400 validation_failed roles'],
    [() => ({ roles: { [bob.userId]: 'owner' } }), '400 validation_failed roles'],
    [() => ({ add: [randomUUID()] }), '400 validation_failed'],
    [() => ({ add: [cat.userId], remove: [cat.userId] }), '400 validation_failed'],
    [() => ({ members: [cat.userId] }), '400 validation_failed members:unknown_field'],
  ])('refuse %o', async (given, refusal) => {
    const { conversationId } = await ada.group([bob]);
    const change = typeof given === 'function' ? given() : given;
    expect(await ada.rest.refusal('PUT', path(conversationId), change)).toContain(refusal);
    expect((await ada.conversation(conversationId)).lastRev).toBe(1);
  });

  it('are listed in pages: the first 20 also in the conversation; a group has no more than it may', async () => {
    const others = await app.someUsers(...Array.from({ length: 24 }, (_, i) => `Member ${i}`));
    const group = await ada.group(others);
    expect(group.memberCount).toBe(25);
    expect(group.members).toHaveLength(20);
    const all: string[] = [];
    let cursor: string | null = null;
    do {
      const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const url = `${path(group.conversationId)}?limit=10${more}`;
      const page = await ada.rest.want(200, MemberListSchema, 'GET', url);
      all.push(...page.items.map(({ userId }) => userId));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(sorted(all)).toEqual(sorted([ada, ...others].map(({ userId }) => userId)));
    expect(all.slice(0, 20)).toEqual(group.members.map(({ userId }) => userId));
    expect(await ada.rest.refusal('PUT', path(group.conversationId), { add: [dan.userId] })).toBe('409 members_limit');
    const tooMany = { type: 'group', memberIds: [...others, dan].map(({ userId }) => userId) };
    expect(await ada.rest.refusal('POST', '/v1/conversations', tooMany)).toBe('409 members_limit');
  });
});

describe('a member that joins late', () => {
  it('sees nothing from before: no page, preview, mark or message by its id', async () => {
    const { conversationId } = await ada.group([bob]);
    const [first] = await ada.sendMany(conversationId, 3, 'before');
    const socket = await cat.connect();
    await ada.members(conversationId, { add: [cat.userId] });
    const created = await socket.waitFor('conversation_created', (c) => c.conversationId === conversationId);
    expect(created).toMatchObject({ lastMessage: null, visibleFromSeq: 4, lastSeq: 3, lastReadSeq: 3, unreadCount: 0 });
    expect((await cat.history(conversationId)).items).toEqual([]);
    const id = first?.messageId as string;
    const messages = `/v1/conversations/${conversationId}/messages`;
    expect(await cat.rest.refusal('GET', `${messages}/${id}`)).toBe('404 not_found');
    expect(await cat.rest.refusal('GET', `${messages}/${id}/receipts`)).toBe('404 not_found');
    expect(await cat.rest.refusal('GET', `${messages}?around=${id}`)).toBe('404 not_found');
    expect(await cat.rest.refusal('PUT', `${messages}/${id}/reactions/x`)).toBe('404 not_found');
    const reply = { content: 're', clientMsgId: randomUUID(), replyToMessageId: id };
    expect(await cat.rest.refusal('POST', messages, reply)).toBe('404 not_found');
    const after = await ada.send(conversationId, 'after');
    const page = await cat.history(conversationId);
    expect(page.items.map(({ content }) => content)).toEqual(['after']);
    expect(page.hasBefore).toBe(false);
    expect(await cat.conversation(conversationId)).toMatchObject({ unreadCount: 1, lastSeq: 4, lastReadSeq: 3 });
    expect((await socket.waitFor('new_message')).messageId).toBe(after.messageId);
    const ids = JSON.stringify(await cat.conversation(conversationId));
    expect(ids).not.toContain(id);
  });

  it('does not hear of edits and reactions of messages from before', async () => {
    const { conversationId } = await ada.group([bob]);
    const old = await ada.send(conversationId, 'before');
    await ada.members(conversationId, { add: [cat.userId] });
    const socket = await cat.connect();
    await ada.rest.call('PATCH', `/v1/conversations/${conversationId}/messages/${old.messageId}`, {
      body: { content: 'edited' },
    });
    await bob.rest.call('PUT', `/v1/conversations/${conversationId}/messages/${old.messageId}/reactions/x`);
    await ada.send(conversationId, 'after');
    await socket.waitFor('new_message');
    expect(socket.seen('message_updated')).toEqual([]);
  });
});

describe('a member that is removed', () => {
  it('receives and reads nothing from then on, and comes back without its absence', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const socket = await cat.connect();
    await ada.send(conversationId, 'while there');
    await socket.waitFor('new_message');
    await ada.members(conversationId, { remove: [cat.userId] });
    await socket.waitFor('conversation_removed');
    const countBefore = socket.events.length;
    const missed = await ada.sendMany(conversationId, 3, 'while away');
    expect(await cat.rest.refusal('GET', `/v1/conversations/${conversationId}/messages`)).toBe('404 not_found');
    const sending = { conversationId, content: 'x', clientMsgId: randomUUID() };
    expect(await socket.refusal('send_message', sending)).toBe('404 not_found');
    await ada.members(conversationId, { add: [cat.userId] });
    // That it was made at all may reach a socket which connected right after.
    const isAgain = (c: Conversation): boolean => c.conversationId === conversationId && c.visibleFromSeq !== 1;
    const again = await socket.waitFor('conversation_created', isAgain);
    expect(again).toMatchObject({ visibleFromSeq: 5, lastMessage: null, unreadCount: 0 });
    await ada.send(conversationId, 'welcome back');
    await socket.waitFor('new_message', ({ content }) => content === 'welcome back');
    const between = socket.events.slice(countBefore).filter(({ payload }) => {
      const text = JSON.stringify(payload);
      return missed.some(({ messageId }) => text.includes(messageId));
    });
    expect(between).toEqual([]);
    expect((await cat.history(conversationId)).items.map(({ content }) => content)).toEqual(['welcome back']);
  });

  it('is gone from lists and from sync', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const { syncedAt } = await cat.sync();
    await ada.members(conversationId, { remove: [cat.userId] });
    const { removed, conversations } = await cat.sync({ since: syncedAt });
    expect(removed).toEqual([conversationId]);
    expect(conversations).toEqual([]);
  });

  it('loses the race of its send with its removal cleanly: stored before, or not found', async () => {
    const { conversationId } = await ada.group([bob, cat]);
    const socket = await cat.connect();
    const sends = Array.from({ length: 20 }, (_, i) =>
      socket.raw('send_message', { conversationId, content: `race ${i}`, clientMsgId: randomUUID() }),
    );
    const [answers] = await Promise.all([Promise.all(sends), ada.members(conversationId, { remove: [cat.userId] })]);
    const stored = (answers as { ok: boolean }[]).filter(({ ok }) => ok).length;
    const { items } = await ada.history(conversationId, '?limit=100');
    expect(items).toHaveLength(stored);
    expect((await ada.conversation(conversationId)).lastSeq).toBe(stored);
  });
});

const ROUNDS = 40;
const ROUNDS_TIMEOUT_MS = 120_000;

describe('a member that comes back', () => {
  let eve: TestUser;
  beforeAll(async () => {
    eve = await app.user('Eve');
  });

  /** What a socket was told of the conversation, in its order: an event's name, and the rev that it tells of. */
  const toldOf = (socket: TestSocket, conversationId: string): { name: string; rev: number | null }[] =>
    socket.events.flatMap(({ name, payload }) => {
      const place = payload as { conversationId?: string; rev?: number; heads?: { conversationId: string }[] };
      const isOfIt = place.conversationId === conversationId;
      const isHeadOfIt = place.heads?.some((head) => head.conversationId === conversationId) ?? false;
      return isOfIt || isHeadOfIt ? [{ name, rev: place.rev ?? null }] : [];
    });

  /** What a socket was told although its user did not belong there then, as far as it knew or by the rev of its join. */
  const wronglyTold = (told: ReturnType<typeof toldOf>, wasThere: boolean, joinedRev: number): string[] => {
    let belongs = wasThere;
    let isBack = false;
    return told.flatMap(({ name, rev }, i) => {
      if (name === 'conversation_created') {
        isBack = !wasThere || told.slice(0, i).some((earlier) => earlier.name === 'conversation_removed');
        belongs = true;
        return [];
      }
      if (name === 'conversation_removed') {
        belongs = false;
        return [];
      }
      return belongs && !(isBack && rev !== null && rev <= joinedRev)
        ? []
        : [`${name} (rev ${rev}, joined ${joinedRev})`];
    });
  };

  it(
    'hears nothing of its absence on any device, and one that is new nothing from before its join',
    async () => {
      const [admin, typist, fresh, ...back] = (await Promise.all(
        [ada, bob, eve, cat, cat].map((user) => user.connect()),
      )) as [TestSocket, TestSocket, TestSocket, ...TestSocket[]];
      const wrong: string[] = [];
      let returns = 0;
      for (let round = 1; round <= ROUNDS; round++) {
        const { conversationId } = await ada.group([bob, cat, dan]);
        await back[1]?.waitFor('conversation_created', (c) => c.conversationId === conversationId);
        await back[0]?.waitFor('conversation_created', (c) => c.conversationId === conversationId);
        // All on their way at once, so that they are decided, committed and broadcast close together.
        const [, , , , after] = await Promise.all([
          ada.members(conversationId, { remove: [cat.userId] }),
          ada.rest.call('PATCH', `/v1/conversations/${conversationId}`, { body: { name: `round ${round}` } }),
          typist.raw('typing', { conversationId }),
          ada.members(conversationId, { remove: [dan.userId] }),
          ada.members(conversationId, { add: [cat.userId, eve.userId] }),
        ]);
        await ada.send(conversationId, 'the end');
        const isEnd = (message: { conversationId: string }): boolean => message.conversationId === conversationId;
        const joined = await admin.waitFor('members_changed', (change) => isEnd(change) && change.added.length > 0);
        await fresh.waitFor('new_message', isEnd);
        wrong.push(...wronglyTold(toldOf(fresh, conversationId), false, joined.rev));
        // Where the return was decided first, nobody came back.
        if (!after.members.some(({ userId }) => userId === cat.userId)) continue;
        if (!joined.added.some(({ userId }) => userId === cat.userId)) continue;
        returns++;
        for (const socket of back) {
          await socket.waitFor('new_message', isEnd);
          wrong.push(...wronglyTold(toldOf(socket, conversationId), true, joined.rev));
        }
      }
      expect(wrong).toEqual([]);
      // A test in which nobody came back would show nothing.
      expect(returns).toBeGreaterThan(ROUNDS / 4);
    },
    ROUNDS_TIMEOUT_MS,
  );
});
