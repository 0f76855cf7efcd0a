import {
  PAGE_BYTES_MAX,
  type SyncAnswer,
  type SyncCursor,
  type SyncedConversation,
  type SyncPayload,
} from '@parley/contracts';
import { SyncConversations } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConversationWorld } from '../../../../domain/src/ports/testing/conversation-world.js';
import { openQueryHarness, type QueryHarness } from './query-harness.testing.js';

const INVALID = { code: 'validation_failed' };

let harness: QueryHarness;
let ada: string;
let bob: string;

beforeAll(async () => {
  harness = await openQueryHarness();
});
afterAll(() => harness?.close());
beforeEach(async () => {
  [ada, bob] = await Promise.all([harness.addUser('Ada'), harness.addUser('Bob')]);
});

const sync = (userId: string, payload: Partial<SyncPayload> = {}): Promise<SyncAnswer> =>
  harness.queries.execute(new SyncConversations(userId, { cursors: [], limit: 50, ...payload }));
const at = (world: ConversationWorld, afterSeq: number, afterRev?: number): SyncCursor => ({
  conversationId: world.id,
  afterSeq,
  ...(afterRev === undefined ? {} : { afterRev }),
});
const ids = (answer: SyncAnswer): string[] => answer.conversations.map((item) => item.conversation.conversationId);
const seqs = (item: SyncedConversation | undefined): number[] => (item?.messages ?? []).map((message) => message.seq);

async function conversationOf(messages: number, content = 'Hello'): Promise<ConversationWorld> {
  const world = await harness.create([ada, bob]);
  for (let i = 0; i < messages; i++) await world.send(ada, content);
  return world;
}

/** The one conversation that the answer is expected to hold. */
async function syncOne(userId: string, payload: Partial<SyncPayload>): Promise<SyncedConversation> {
  const { conversations } = await sync(userId, payload);
  expect(conversations).toHaveLength(1);
  return conversations[0] as SyncedConversation;
}

describe('sync', () => {
  it('begins with all conversations and goes on with what changed', async () => {
    const quiet = await conversationOf(1);
    const loud = await conversationOf(1);
    const first = await sync(bob);
    expect(ids(first)).toEqual([quiet.id, loud.id].sort());
    expect(first).toMatchObject({ removed: [], nextCursor: null });
    expect(first.conversations[0]).toMatchObject({ messages: [], changes: [], hasMore: false, reset: false });
    expect(await sync(bob, { since: first.syncedAt })).toMatchObject({ conversations: [], removed: [] });
    await loud.send(ada);
    const second = await sync(bob, { since: first.syncedAt });
    expect(ids(second)).toEqual([loud.id]);
    expect(await sync(bob, { since: second.syncedAt })).toMatchObject({ conversations: [], removed: [] });
  });

  it('gives an unnamed conversation a `next` from which nothing is missed', async () => {
    const world = await conversationOf(2);
    const first = await syncOne(bob, {});
    expect(first.next).toEqual({ afterSeq: 0, afterRev: 3 });
    const second = await syncOne(bob, { cursors: [{ conversationId: world.id, ...first.next }] });
    expect(second.messages).toEqual(world.messages);
  });

  it('gives named conversations their messages, oldest first, up to the limit, and says how to go on', async () => {
    const world = await conversationOf(5);
    const first = await syncOne(bob, { cursors: [at(world, 1, 2)], limit: 2 });
    expect(first.messages).toEqual(world.messages.slice(1, 3));
    expect(first).toMatchObject({ next: { afterSeq: 3, afterRev: 6 }, hasMore: true, reset: false, changes: [] });
    const second = await syncOne(bob, { cursors: [at(world, 3, 6)], limit: 2 });
    expect(seqs(second)).toEqual([4, 5]);
    expect(second).toMatchObject({ next: { afterSeq: 5, afterRev: 6 }, hasMore: false });
    const third = await syncOne(bob, { cursors: [at(world, 5, 6)] });
    expect(third).toMatchObject({ messages: [], next: { afterSeq: 5, afterRev: 6 }, hasMore: false });
  });

  it('tells a named conversation that did not change only when something lies behind its cursor', async () => {
    const world = await conversationOf(2);
    const { syncedAt: since } = await sync(bob);
    expect(ids(await sync(bob, { since, cursors: [at(world, 2, 3)] }))).toEqual([]);
    expect(ids(await sync(bob, { since, cursors: [at(world, 2)] }))).toEqual([]);
    expect(seqs(await syncOne(bob, { since, cursors: [at(world, 1, 3)] }))).toEqual([2]);
    expect((await syncOne(bob, { since, cursors: [at(world, 2, 2)] })).next).toEqual({ afterSeq: 2, afterRev: 3 });
  });

  it('gives older messages that changed, by rev, in steps, and ends with the last revision', async () => {
    const world = await conversationOf(4);
    await world.edit(3, 'third');
    await world.rename('Other');
    await world.edit(1, 'first');
    await world.deleteMessage(2, ada);
    await world.edit(4, 'not known yet');
    await world.rename('Another');
    const first = await syncOne(bob, { cursors: [at(world, 3, 5)], limit: 2 });
    expect(first.changes.map((message) => [message.seq, message.rev, message.content])).toEqual([
      [3, 6, 'third'],
      [1, 8, 'first'],
    ]);
    expect(first).toMatchObject({ next: { afterSeq: 4, afterRev: 8 }, hasMore: true });
    expect(first.messages).toMatchObject([{ seq: 4, content: 'not known yet', rev: 10 }]);
    const second = await syncOne(bob, { cursors: [at(world, 3, 8)], limit: 2 });
    expect(second.changes).toMatchObject([{ seq: 2, rev: 9, content: '' }]);
    expect(second).toMatchObject({ next: { afterSeq: 4, afterRev: 11 }, hasMore: false });
  });

  it('gives a cursor without `afterRev` every change', async () => {
    const world = await conversationOf(2);
    await world.edit(1, 'changed');
    const told = await syncOne(bob, { cursors: [at(world, 2)] });
    expect(told.changes.map((message) => message.seq)).toEqual([1]);
    expect(told.next).toEqual({ afterSeq: 2, afterRev: 4 });
  });

  it.each([
    ['a seq that is ahead', 9, 4],
    ['a rev that is ahead', 3, 99],
  ])('begins anew for %s', async (_, afterSeq, afterRev) => {
    const world = await conversationOf(3);
    const { syncedAt: since } = await sync(bob);
    const told = await syncOne(bob, { since, cursors: [at(world, afterSeq, afterRev)] });
    expect(told).toMatchObject({ reset: true, next: { afterSeq: 3, afterRev: 4 }, hasMore: false, changes: [] });
    expect(seqs(told)).toEqual([1, 2, 3]);
  });

  it('begins anew at the latest join of a member that came back', async () => {
    const world = await conversationOf(3);
    const { syncedAt: since } = await sync(bob);
    await world.removeMembers(bob);
    await world.send(ada, 'in your absence');
    await world.addMembers(bob);
    await world.send(ada, 'welcome back');
    const told = await syncOne(bob, { since, cursors: [at(world, 3, 4)] });
    expect(told.reset).toBe(true);
    expect(told.messages.map((message) => message.content)).toEqual(['welcome back']);
    expect(told.conversation.visibleFromSeq).toBe(5);
  });

  it('shows no message nor change from before the join', async () => {
    const world = await conversationOf(3);
    const eve = await harness.addUser('Eve');
    await world.addMembers(eve);
    await world.edit(1, 'changed');
    await world.send(ada);
    const told = await syncOne(eve, { cursors: [at(world, 3, 0)] });
    expect(seqs(told)).toEqual([4]);
    expect(told.changes).toEqual([]);
    expect((await syncOne(eve, { cursors: [at(world, 0)] })).reset).toBe(true);
  });

  it('tells what was taken away since, and what never was the caller’s, alike', async () => {
    const left = await conversationOf(1);
    const eve = await harness.addUser('Eve');
    const foreign = await harness.create([ada, eve]);
    const missing = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';
    const { syncedAt: since } = await sync(bob);
    await left.removeMembers(bob);
    expect((await sync(bob, { since })).removed).toEqual([left.id]);
    const cursors = [at(left, 1, 2), at(foreign, 0), { conversationId: missing, afterSeq: 0 }];
    const told = await sync(bob, { since, cursors });
    expect(told.removed.sort()).toEqual([left.id, foreign.id, missing].sort());
    expect(told.conversations).toEqual([]);
    expect((await sync(bob)).removed).toEqual([]);
  });

  it('pages through many conversations with one `since`, and then misses nothing that happened meanwhile', async () => {
    const eve = await harness.addUser('Eve');
    const worlds: ConversationWorld[] = [];
    for (let i = 0; i < 205; i++) worlds.push(await harness.create([ada, eve]));
    const named = worlds[0] as ConversationWorld;
    const first = await sync(eve, { cursors: [at(named, 0, 0)] });
    expect(ids(first)[0]).toBe(named.id);
    expect(first.conversations).toHaveLength(201);
    const moved = worlds.find((world) => world.id === ids(first)[1]) as ConversationWorld;
    await moved.send(ada);
    const second = await sync(eve, { cursors: [at(named, 0, 1)], cursor: first.nextCursor as string });
    expect(second.nextCursor).toBeNull();
    expect(second.syncedAt).toBe(first.syncedAt);
    expect([...ids(first), ...ids(second)].sort()).toEqual(worlds.map((world) => world.id).sort());
    expect(ids(await sync(eve, { since: second.syncedAt }))).toEqual([moved.id]);
  });

  it('ends early at a megabyte, named conversations first, and continues while cursors move on', async () => {
    const big = [await conversationOf(5, '😀'.repeat(60_000)), await conversationOf(5, '😀'.repeat(60_000))];
    const small = await conversationOf(1);
    const cursors = new Map(big.map((world) => [world.id, at(world, 0, 0)]));
    const received = new Map<string, number[]>(big.map((world) => [world.id, []]));
    const told: string[] = [];
    let cursor: string | undefined;
    for (let rounds = 0; ; rounds++) {
      expect(rounds).toBeLessThan(10);
      const answer = await sync(bob, { cursors: [...cursors.values()], ...(cursor ? { cursor } : {}) });
      expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(PAGE_BYTES_MAX * 1.01);
      let isMore = answer.nextCursor !== null;
      for (const item of answer.conversations) {
        const { conversationId } = item.conversation;
        told.push(conversationId);
        received.get(conversationId)?.push(...seqs(item));
        if (cursors.has(conversationId)) cursors.set(conversationId, { conversationId, ...item.next });
        isMore ||= item.hasMore;
      }
      cursor = answer.nextCursor ?? undefined;
      if (!isMore) break;
    }
    for (const world of big) expect(received.get(world.id)).toEqual([1, 2, 3, 4, 5]);
    expect(told).toContain(small.id);
    expect(told[0]).toBe([...cursors.keys()].sort()[0]);
  });

  it('gives all changes although they are larger than an answer, in steps', async () => {
    const world = await conversationOf(5);
    for (let seq = 1; seq <= 5; seq++) await world.edit(seq, '😀'.repeat(100_000));
    const seen: number[] = [];
    let cursor = at(world, 5, 6);
    for (let more = true; more;) {
      const told = await syncOne(bob, { cursors: [cursor] });
      seen.push(...told.changes.map(({ seq }) => seq));
      more = told.hasMore;
      cursor = { conversationId: world.id, ...told.next };
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(cursor).toMatchObject({ afterSeq: 5, afterRev: 11 });
  });

  it('gives one message although it alone is larger than an answer', async () => {
    const world = await harness.create([ada, bob]);
    await world.send(ada, '\u0001'.repeat(200_000));
    const told = await syncOne(bob, { cursors: [at(world, 0)] });
    expect(seqs(told)).toEqual([1]);
    expect(told.hasMore).toBe(false);
  });

  it('refuses what no answer to this caller gave', async () => {
    await conversationOf(1);
    const { syncedAt } = await sync(ada);
    for (const since of ['garbage', `${syncedAt}AAAA`, syncedAt.slice(2), 'A'.repeat(64 * 1024)]) {
      await expect(sync(ada, { since })).rejects.toMatchObject({ ...INVALID, errors: [{ path: 'since' }] });
    }
    await expect(sync(bob, { since: syncedAt })).rejects.toMatchObject(INVALID);
    await expect(sync(ada, { cursor: syncedAt })).rejects.toMatchObject({ ...INVALID, errors: [{ path: 'cursor' }] });
  });
});
