import { beforeEach, describe, expect, it } from 'vitest';
import type { ConversationReader } from '../conversation-reader.port.js';
import { ConversationWorld } from './conversation-world.js';
import { NOBODY, type ReaderHarness } from './reader-harness.js';

interface Setting {
  harness: ReaderHarness;
  ada: string;
  bob: string;
  eve: string;
}

/** Changes since a position: what `sync` and `heads` go by. */
export function changesSuite(setting: () => Setting): void {
  let harness: ReaderHarness;
  let reader: ConversationReader;
  let ada: string;
  let bob: string;
  let eve: string;
  beforeEach(() => {
    ({ harness, ada, bob, eve } = setting());
    reader = harness.reader;
  });
  const create = (userIds: string[]) => ConversationWorld.create(harness.write, userIds);

  describe('what changed since a position', () => {
    const since = async (userId: string, position: string | null, named: string[] = []) => {
      const page = await reader.changedSince(userId, { since: position, named, after: null, limit: 100 });
      return { ...page, ids: page.changed.map((conversation) => conversation.conversationId) };
    };
    const position = async (): Promise<string> => (await since(NOBODY, null)).position;

    it('is everything without one, and nothing right after one', async () => {
      const worlds = [await create([ada, bob]), await create([ada, bob])];
      const all = await since(ada, null);
      expect(all.ids).toEqual(worlds.map((world) => world.id).sort());
      expect(all.changed[0]).toEqual(await reader.conversation(all.ids[0] as string, ada));
      expect(all).toMatchObject({ removed: [], more: false, named: [] });
      expect(await since(ada, all.position)).toMatchObject({ ids: [], removed: [], more: false });
    });

    it.each<[string, (world: ConversationWorld) => Promise<unknown>]>([
      ['a message', (world) => world.send(bob)],
      ['a name', (world) => world.rename('Other')],
      ['another member', async (world) => world.addMembers(await harness.addUser('Zoe'))],
      ['the user’s own settings', (world) => world.settings(ada, { pinned: true })],
      ['the user’s own read mark', (world) => world.read(ada, 1)],
      ['another one’s mark in a small conversation', (world) => world.receive(eve, 1)],
      ['a deletion', (world) => world.deleteMessage(1, bob)],
    ])('shows %s', async (_, change) => {
      const world = await create([ada, bob, eve]);
      await create([ada, bob]);
      await world.send(bob);
      const before = await position();
      await change(world);
      expect((await since(ada, before)).ids).toEqual([world.id]);
    });

    it('leaves out others’ marks in a conversation of more than 20 members, not the user’s own', async () => {
      const many: string[] = [];
      for (let i = 0; i < 19; i++) many.push(await harness.addUser(`Many ${i}`));
      const world = await create([ada, bob, ...many]);
      await world.send(bob);
      const before = await position();
      await world.read(many[0] as string, 1);
      expect((await since(ada, before)).ids).toEqual([]);
      await world.read(ada, 1);
      expect((await since(ada, before)).ids).toEqual([world.id]);
    });

    it('tells which conversations the user was taken out of since then, and no others', async () => {
      const left = await create([ada, bob]);
      await left.removeMembers(ada);
      const before = await position();
      const removed = await create([bob, ada]);
      await removed.removeMembers(ada);
      await left.send(bob);
      expect(await since(ada, before)).toMatchObject({ removed: [removed.id], ids: [] });
      expect(await since(ada, null)).toMatchObject({ removed: [], ids: [] });
      await removed.addMembers(ada);
      expect(await since(ada, before)).toMatchObject({ removed: [], ids: [removed.id] });
    });

    it('comes in pages by id, while `named` ones are told apart whether they changed or not', async () => {
      const worlds = [];
      for (let i = 0; i < 5; i++) worlds.push(await create([ada, bob]));
      const [quiet, loud, ...rest] = worlds as [ConversationWorld, ConversationWorld, ...ConversationWorld[]];
      const foreign = await create([bob, eve]);
      const before = await position();
      for (const world of [loud, ...rest]) await world.send(bob);
      const named = [quiet.id, loud.id, foreign.id, NOBODY];
      const first = await reader.changedSince(ada, { since: before, named, after: null, limit: 2 });
      const told = first.named.map(({ conversation, changed }) => [conversation.conversationId, changed]);
      expect(Object.fromEntries(told)).toEqual({ [quiet.id]: false, [loud.id]: true });
      expect(first.more).toBe(true);
      const after = first.changed.at(-1)?.conversationId ?? null;
      const second = await reader.changedSince(ada, { since: before, named, after, limit: 2 });
      expect(second.more).toBe(false);
      expect([...first.changed, ...second.changed].map((conversation) => conversation.conversationId)).toEqual(
        rest.map((world) => world.id).sort(),
      );
    });

    it('is everything when the position is of another database, or none at all', async () => {
      const world = await create([ada, bob]);
      const [, begin, end, running] = (await position()).split('.');
      for (const strange of [`1-1.${begin}.${end}.${running}`, 'nonsense', '']) {
        expect((await since(ada, strange)).ids).toEqual([world.id]);
      }
    });
  });

  describe('heads since a position', () => {
    it('tell each user what moved and what it was taken out of', async () => {
      const moved = await create([ada, bob]);
      const quiet = await create([ada, eve]);
      const gone = await create([ada, eve]);
      const start = await reader.headsSince([], null);
      expect(start.heads).toEqual([]);
      await moved.send(bob);
      await gone.removeMembers(eve);
      const { heads, position } = await reader.headsSince([ada, eve], start.position);
      const told = heads.map(
        (head) => `${head.userId} ${head.conversationId} ${head.lastSeq} ${head.lastRev} ${head.removed}`,
      );
      expect(told.sort()).toEqual(
        [`${ada} ${moved.id} 1 2 false`, `${ada} ${gone.id} 0 2 false`, `${eve} ${gone.id} 0 0 true`].sort(),
      );
      expect((await reader.headsSince([ada, eve], position)).heads).toEqual([]);
      const all = (await reader.headsSince([eve], null)).heads;
      expect(all).toEqual([{ userId: eve, conversationId: quiet.id, lastSeq: 0, lastRev: 1, removed: false }]);
    });
  });
}

export function receiptsSuite(setting: () => Setting): void {
  let harness: ReaderHarness;
  let reader: ConversationReader;
  let ada: string;
  let bob: string;
  let eve: string;
  beforeEach(() => {
    ({ harness, ada, bob, eve } = setting());
    reader = harness.reader;
  });
  const create = (userIds: string[]) => ConversationWorld.create(harness.write, userIds);

  describe('receipts', () => {
    const receipts = async (world: ConversationWorld, seq: number, senderId: string) => {
      const at = Date.parse(world.messages[seq - 1]?.timestamp ?? '');
      return new Map((await reader.receipts(world.id, { seq, senderId, at })).map((item) => [item.userId, item]));
    };

    it('tell for each other member when the mark that first covered the message was set', async () => {
      const world = await create([ada, bob, eve]);
      await world.send(ada);
      await world.send(ada);
      await world.receive(bob, 1);
      const delivered = world.at;
      await world.read(bob, 2);
      const read = world.at;
      await world.send(ada);
      await world.read(bob, 3);
      const told = await receipts(world, 1, ada);
      expect(told.get(bob)).toEqual({
        userId: bob,
        delivered: true,
        deliveredAt: delivered,
        read: true,
        readAt: read,
      });
      expect(told.get(eve)).toEqual({ userId: eve, delivered: false, deliveredAt: null, read: false, readAt: null });
      expect(told.has(ada)).toBe(false);
      expect((await receipts(world, 2, ada)).get(bob)).toMatchObject({ deliveredAt: read, readAt: read });
    });

    it('leave out who has gone and who cannot see the message', async () => {
      const world = await create([ada, bob]);
      await world.send(ada);
      await world.addMembers(eve);
      await world.removeMembers(bob);
      expect([...(await receipts(world, 1, ada)).keys()]).toEqual([]);
    });

    it('say that a mark covers a message although no advance says when', async () => {
      const world = await create([ada, bob]);
      await world.send(ada);
      await world.send(bob);
      expect((await receipts(world, 1, ada)).get(bob)).toEqual({
        userId: bob,
        delivered: true,
        deliveredAt: null,
        read: true,
        readAt: null,
      });
    });

    it('find an advance behind thousands of others', async () => {
      const world = await create([ada, bob, eve]);
      await world.send(ada);
      const at = world.at;
      const filler = Array.from({ length: 2_500 }, (_, i) => ({
        conversationId: world.id,
        at: at + i,
        marks: [{ userId: eve, delivered: { seq: 1, messageId: world.messageId(1) } }],
      }));
      await harness.write({ messages: [], conversations: [], members: [], receipts: filler });
      world.at += 60_000;
      await world.read(bob, 1);
      expect((await receipts(world, 1, ada)).get(bob)).toMatchObject({ readAt: world.at, deliveredAt: world.at });
    });
  });
}
