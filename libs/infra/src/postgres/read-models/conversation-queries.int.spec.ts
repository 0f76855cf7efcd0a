import type { Conversation, HistoryQuery, Member, Message, MessagePage, Page, Receipt } from '@parley/contracts';
import {
  GetConversation,
  GetHistory,
  GetMessage,
  GetReceipts,
  GetSentMessage,
  ListConversations,
  ListMembers,
} from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConversationWorld } from '../../../../domain/src/ports/testing/conversation-world.js';
import { openQueryHarness, type QueryHarness } from './query-harness.testing.js';

const NOT_FOUND = { code: 'not_found' };
const INVALID = { code: 'validation_failed' };

let harness: QueryHarness;
let ada: string;
let bob: string;
let eve: string;

beforeAll(async () => {
  harness = await openQueryHarness();
});
afterAll(() => harness?.close());
beforeEach(async () => {
  [ada, bob, eve] = await Promise.all([harness.addUser('Ada'), harness.addUser('Bob'), harness.addUser('Eve')]);
});

type Place = Partial<HistoryQuery>;
const history = (world: ConversationWorld, userId: string, query: Place = {}): Promise<MessagePage> =>
  harness.queries.execute(new GetHistory(userId, world.id, { limit: 50, ...query }));
const seqs = (page: MessagePage): number[] => page.items.map((message) => message.seq);

/** A conversation of Ada and Bob with so many messages of Ada's. */
async function conversationOf(messages: number, content = 'Hello'): Promise<ConversationWorld> {
  const world = await harness.create([ada, bob]);
  for (let i = 0; i < messages; i++) await world.send(ada, content);
  return world;
}

describe('history', () => {
  it('begins with the newest and leads to the oldest, each once', async () => {
    const world = await conversationOf(7);
    const first = await history(world, bob, { limit: 3 });
    expect(first).toMatchObject({ hasBefore: true, hasAfter: false, items: world.messages.slice(4).reverse() });
    const second = await history(world, bob, { limit: 3, cursor: first.nextCursor as string });
    expect(seqs(second)).toEqual([4, 3, 2]);
    expect(second).toMatchObject({ hasBefore: true, hasAfter: true });
    const third = await history(world, bob, { limit: 3, cursor: second.nextCursor as string });
    expect(third).toMatchObject({ hasBefore: false, hasAfter: true, nextCursor: null });
    expect(seqs(third)).toEqual([1]);
  });

  it('goes on where it was although messages arrive meanwhile', async () => {
    const world = await conversationOf(4);
    const first = await history(world, bob, { limit: 2 });
    await world.send(bob);
    expect(seqs(await history(world, bob, { limit: 2, cursor: first.nextCursor as string }))).toEqual([2, 1]);
  });

  it('is empty in a new conversation', async () => {
    const world = await conversationOf(0);
    expect(await history(world, ada)).toEqual({ items: [], nextCursor: null, hasBefore: false, hasAfter: false });
  });

  it('before a message is newest first, after one oldest first and goes on to newer ones', async () => {
    const world = await conversationOf(9);
    const before = await history(world, bob, { before: world.messageId(4), limit: 2 });
    expect(seqs(before)).toEqual([3, 2]);
    expect(before).toMatchObject({ hasBefore: true, hasAfter: true });
    const after = await history(world, bob, { after: world.messageId(4), limit: 3 });
    expect(seqs(after)).toEqual([5, 6, 7]);
    expect(after).toMatchObject({ hasBefore: true, hasAfter: true });
    const rest = await history(world, bob, { cursor: after.nextCursor as string, limit: 3 });
    expect(seqs(rest)).toEqual([8, 9]);
    expect(rest).toMatchObject({ hasBefore: true, hasAfter: false, nextCursor: null });
  });

  it('before the first and after the last is empty, and says on which side there is more', async () => {
    const world = await conversationOf(2);
    const nothing = { items: [], nextCursor: null };
    expect(await history(world, bob, { before: world.messageId(1) })).toEqual({
      ...nothing,
      hasBefore: false,
      hasAfter: true,
    });
    expect(await history(world, bob, { after: world.messageId(2) })).toEqual({
      ...nothing,
      hasBefore: true,
      hasAfter: false,
    });
  });

  it.each([
    { limit: 1, around: 5, expected: [5] },
    { limit: 2, around: 5, expected: [6, 5] },
    { limit: 5, around: 5, expected: [7, 6, 5, 4, 3] },
    { limit: 4, around: 1, expected: [4, 3, 2, 1] },
    { limit: 4, around: 9, expected: [9, 8, 7, 6] },
    { limit: 50, around: 5, expected: [9, 8, 7, 6, 5, 4, 3, 2, 1] },
  ])('around message $around of 9 with limit $limit is $expected', async ({ limit, around, expected }) => {
    const world = await conversationOf(9);
    const page = await history(world, bob, { around: world.messageId(around), limit });
    expect(seqs(page)).toEqual(expected);
    expect(page.hasBefore).toBe((expected.at(-1) as number) > 1);
    expect(page.hasAfter).toBe((expected[0] as number) < 9);
    const older = page.nextCursor ? seqs(await history(world, bob, { cursor: page.nextCursor })) : [];
    expect(older).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1].filter((seq) => seq < (expected.at(-1) as number)));
  });

  it('around the first unread one finds it, or is the newest page when all is read', async () => {
    const world = await conversationOf(9);
    await world.read(bob, 4);
    expect(seqs(await history(world, bob, { around: 'first_unread', limit: 3 }))).toEqual([6, 5, 4]);
    expect(seqs(await history(world, ada, { around: 'first_unread', limit: 3 }))).toEqual([9, 8, 7]);
  });

  it('begins with the member’s join, whatever is asked', async () => {
    const world = await conversationOf(3);
    await world.addMembers(eve);
    expect(await history(world, eve)).toEqual({ items: [], nextCursor: null, hasBefore: false, hasAfter: false });
    await world.send(ada);
    await world.send(ada);
    expect(await history(world, eve)).toMatchObject({ hasBefore: false, hasAfter: false, nextCursor: null });
    expect(seqs(await history(world, eve))).toEqual([5, 4]);
    expect(seqs(await history(world, eve, { around: 'first_unread', limit: 10 }))).toEqual([5, 4]);
    for (const place of ['before', 'after', 'around'] as const) {
      await expect(history(world, eve, { [place]: world.messageId(2) })).rejects.toMatchObject(NOT_FOUND);
    }
  });

  it('of a member that left and came back hides what was written meanwhile, from an old cursor too', async () => {
    const world = await conversationOf(3);
    const before = await history(world, bob, { limit: 1 });
    const after = await history(world, bob, { after: world.messageId(1), limit: 1 });
    await world.removeMembers(bob);
    await expect(history(world, bob)).rejects.toMatchObject(NOT_FOUND);
    await world.send(ada);
    await world.addMembers(bob);
    await world.send(ada);
    expect(seqs(await history(world, bob))).toEqual([5]);
    expect(seqs(await history(world, bob, { cursor: before.nextCursor as string }))).toEqual([]);
    expect(seqs(await history(world, bob, { cursor: after.nextCursor as string }))).toEqual([5]);
  });

  it('refuses strangers, foreign messages and foreign cursors', async () => {
    const world = await conversationOf(3);
    const other = await conversationOf(3);
    const { nextCursor } = await history(world, bob, { limit: 1 });
    const cursor = nextCursor as string;
    await expect(history(world, eve)).rejects.toMatchObject(NOT_FOUND);
    await expect(history(world, bob, { around: other.messageId(1) })).rejects.toMatchObject(NOT_FOUND);
    await expect(history(world, bob, { before: '1' })).rejects.toMatchObject(NOT_FOUND);
    await expect(history(world, ada, { cursor })).rejects.toMatchObject(INVALID);
    await expect(history(other, bob, { cursor })).rejects.toMatchObject(INVALID);
    for (const garbage of ['x', cursor.slice(1), `${cursor}AAAA`, 'é'.repeat(500), 'A'.repeat(64 * 1024)]) {
      await expect(history(world, bob, { cursor: garbage })).rejects.toMatchObject(INVALID);
    }
  });

  it('ends a page at a megabyte, in every direction, and loses nothing', async () => {
    const world = await conversationOf(6, '😀'.repeat(90_000));
    const all: number[] = [];
    let page = await history(world, bob, { limit: 6 });
    for (;;) {
      expect(Buffer.byteLength(JSON.stringify(page.items))).toBeLessThan(1_001_000);
      all.push(...seqs(page));
      if (!page.nextCursor) break;
      expect(page.hasBefore).toBe(true);
      page = await history(world, bob, { limit: 6, cursor: page.nextCursor });
    }
    expect(all).toEqual([6, 5, 4, 3, 2, 1]);
    const after = await history(world, bob, { after: world.messageId(1), limit: 6 });
    expect(seqs(after)).toEqual([2, 3]);
    expect(after.hasAfter).toBe(true);
    expect(seqs(await history(world, bob, { cursor: after.nextCursor as string, limit: 6 }))).toEqual([4, 5]);
    const around = await history(world, bob, { around: world.messageId(3), limit: 6 });
    expect(seqs(around)).toContain(3);
    expect(around.items.length).toBe(2);
    expect(around).toMatchObject({ hasBefore: true, hasAfter: true });
    const first = await history(world, bob, { around: world.messageId(1), limit: 6 });
    expect(seqs(first)).toEqual([2, 1]);
    expect(first).toMatchObject({ hasBefore: false, hasAfter: true, nextCursor: null });
    const last = await history(world, bob, { around: world.messageId(6), limit: 6 });
    expect(seqs(last)).toEqual([6, 5]);
    expect(last).toMatchObject({ hasBefore: true, hasAfter: false });
  });

  it('shows a message alone although it is larger than a page', async () => {
    const world = await harness.create([ada, bob]);
    await world.send(ada, '\u0001'.repeat(200_000));
    await world.send(ada, 'small');
    expect(seqs(await history(world, bob))).toEqual([2]);
    expect(seqs(await history(world, bob, { before: world.messageId(2) }))).toEqual([1]);
  });
});

describe('the message of a send', () => {
  it('is told to its sender, also when it was removed in the meantime, and to nobody else', async () => {
    const world = await conversationOf(0);
    await world.send(bob, 'my last one');
    await world.removeMembers(bob);
    const sent = (userId: string): Promise<Message> =>
      harness.queries.execute(new GetSentMessage(userId, world.id, world.messageId(1)));
    expect(await sent(bob)).toMatchObject({ seq: 1, content: 'my last one' });
    await expect(sent(ada)).rejects.toMatchObject(NOT_FOUND);
  });
});

describe('one message', () => {
  const get = (world: ConversationWorld, userId: string, id: string): Promise<Message> =>
    harness.queries.execute(new GetMessage(userId, world.id, id));

  it('is as it is now', async () => {
    const world = await conversationOf(1);
    await world.edit(1, 'Hello again');
    expect(await get(world, bob, world.messageId(1))).toMatchObject({ content: 'Hello again', rev: 3 });
  });

  it('does not exist for strangers, from before one’s join, or in another conversation', async () => {
    const world = await conversationOf(1);
    await world.addMembers(eve);
    const other = await conversationOf(1);
    await expect(get(world, eve, world.messageId(1))).rejects.toMatchObject(NOT_FOUND);
    await expect(get(other, eve, other.messageId(1))).rejects.toMatchObject(NOT_FOUND);
    await expect(get(world, bob, other.messageId(1))).rejects.toMatchObject(NOT_FOUND);
  });
});

describe('lists', () => {
  const list = (userId: string, query: { limit?: number; cursor?: string; archived?: boolean }) =>
    harness.queries.execute<ListConversations, Page<Conversation>>(
      new ListConversations(userId, { limit: 50, ...query }),
    );
  const members = (world: ConversationWorld, userId: string, query: { limit?: number; cursor?: string }) =>
    harness.queries.execute<ListMembers, Page<Member>>(new ListMembers(userId, world.id, { limit: 50, ...query }));

  it('of conversations are paged to the end, with a cursor for one user and one filter', async () => {
    const worlds = [];
    for (let i = 0; i < 5; i++) worlds.push(await harness.create([ada, bob], { at: Date.UTC(2026, 0, 1) + i }));
    const first = await list(ada, { limit: 2 });
    const cursor = first.nextCursor as string;
    const second = await list(ada, { limit: 2, cursor });
    const third = await list(ada, { limit: 2, cursor: second.nextCursor as string });
    expect(third.nextCursor).toBeNull();
    const ids = [first, second, third].flatMap((page) => page.items.map((item) => item.conversationId));
    expect(ids).toEqual(worlds.map((world) => world.id).reverse());
    expect((await list(ada, { limit: 5 })).nextCursor).toBeNull();
    await expect(list(bob, { cursor })).rejects.toMatchObject(INVALID);
    await expect(list(ada, { cursor, archived: false })).rejects.toMatchObject(INVALID);
    await expect(list(ada, { cursor: 'garbage' })).rejects.toMatchObject(INVALID);
  });

  it('of members are paged, and exist for members only', async () => {
    const world = await harness.create([ada, bob]);
    await world.addMembers(eve);
    const first = await members(world, ada, { limit: 2 });
    const cursor = first.nextCursor as string;
    const second = await members(world, ada, { limit: 2, cursor });
    expect([...first.items, ...second.items].map((member) => member.userId)).toEqual([...[ada, bob].sort(), eve]);
    expect(second.nextCursor).toBeNull();
    const other = await harness.create([ada, bob]);
    await expect(members(other, ada, { cursor })).rejects.toMatchObject(INVALID);
    await expect(members(other, eve, {})).rejects.toMatchObject(NOT_FOUND);
  });

  it('have the same conversation as when it is asked for', async () => {
    const world = await conversationOf(2);
    const [listed] = (await list(bob, {})).items;
    expect(listed).toEqual(await harness.queries.execute(new GetConversation(bob, world.id)));
    await expect(harness.queries.execute(new GetConversation(eve, world.id))).rejects.toMatchObject(NOT_FOUND);
  });
});

describe('receipts', () => {
  const receipts = async (world: ConversationWorld, userId: string, seq: number): Promise<Map<string, Receipt>> => {
    const query = new GetReceipts(userId, world.id, world.messageId(seq), { limit: 100 });
    const page = await harness.queries.execute<GetReceipts, Page<Receipt>>(query);
    expect(page.nextCursor).toBeNull();
    return new Map(page.items.map((item) => [item.userId, item]));
  };
  const iso = (at: number): string => new Date(at).toISOString();

  it('tell when others received and read it, null for not yet', async () => {
    const world = await harness.create([ada, bob, eve]);
    await world.send(ada);
    await world.receive(bob, 1);
    const delivered = world.at;
    await world.read(bob, 1);
    expect([...(await receipts(world, ada, 1))]).toEqual(
      [
        [bob, { userId: bob, deliveredAt: iso(delivered), readAt: iso(world.at) }] as const,
        [eve, { userId: eve, deliveredAt: null, readAt: null }] as const,
      ].sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });

  it('count the member’s own next message, when it came before any receipt', async () => {
    const world = await harness.create([ada, bob, eve]);
    await world.send(ada);
    await world.receive(bob, 1);
    const delivered = world.at;
    const answer = await world.send(bob);
    await world.send(eve);
    await world.read(bob, 3);
    const told = await receipts(world, ada, 1);
    expect(told.get(bob)).toEqual({ userId: bob, deliveredAt: iso(delivered), readAt: answer.timestamp });
    const eves = world.messages[2]?.timestamp;
    expect(told.get(eve)).toEqual({ userId: eve, deliveredAt: eves, readAt: eves });
  });

  it('count the member’s own next message behind more text than is read at once', async () => {
    const world = await harness.create([ada, bob]);
    await world.send(ada);
    for (let i = 0; i < 3; i++) await world.send(ada, '😀'.repeat(100_000));
    const own = await world.send(bob);
    await world.read(bob, 5);
    const told = await receipts(world, ada, 1);
    expect(told.get(bob)).toMatchObject({ deliveredAt: own.timestamp, readAt: own.timestamp });
  });

  it('have the message’s time when nothing that is kept dates the mark', async () => {
    const world = await harness.create([ada, bob]);
    await world.send(ada);
    await world.read(bob, 1);
    await harness.database.pool.query('DELETE FROM receipt_advance WHERE conversation_id = $1', [world.id]);
    const at = world.messages[0]?.timestamp;
    expect((await receipts(world, ada, 1)).get(bob)).toEqual({ userId: bob, deliveredAt: at, readAt: at });
  });

  it('exist for members who may see the message', async () => {
    const world = await conversationOf(1);
    await expect(receipts(world, eve, 1)).rejects.toMatchObject(NOT_FOUND);
    await world.addMembers(eve);
    await expect(receipts(world, eve, 1)).rejects.toMatchObject(NOT_FOUND);
  });
});
