import { randomUUID } from 'node:crypto';
import type { Conversation, Member } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConversationPlace, ConversationReader } from './conversation-reader.port.js';
import { ConversationWorld } from './testing/conversation-world.js';
import { changesSuite, receiptsSuite } from './testing/reader-changes-suite.js';
import { NOBODY, type ReaderHarness } from './testing/reader-harness.js';

/** What every reader of the read models keeps to. */
export function conversationReaderContract(name: string, open: () => Promise<ReaderHarness>): void {
  describe(`conversation reader: ${name}`, () => {
    let harness: ReaderHarness;
    let reader: ConversationReader;
    let ada: string;
    let bob: string;
    let eve: string;

    beforeAll(async () => {
      harness = await open();
      reader = harness.reader;
    });
    afterAll(() => harness?.close());
    beforeEach(async () => {
      ada = await harness.addUser('Ada');
      bob = await harness.addUser('Bob');
      eve = await harness.addUser('Eve');
    });

    const create = (userIds: string[], options = {}) => ConversationWorld.create(harness.write, userIds, options);
    const viewOf = async (world: ConversationWorld, userId: string): Promise<Conversation> => {
      const view = await reader.conversation(world.id, userId);
      if (!view) throw new Error('not a member');
      return view;
    };

    describe('one conversation', () => {
      it('is told as its viewer sees it', async () => {
        const world = await create([ada, bob], { name: 'Engine room' });
        await world.send(ada, 'One');
        const second = await world.send(ada, 'Two');
        await world.read(bob, 1);
        await world.settings(bob, { mutedUntil: Date.UTC(2027, 0, 1), pinned: true, archived: true });
        expect(await reader.conversation(world.id, bob)).toEqual({
          conversationId: world.id,
          type: 'group',
          name: 'Engine room',
          createdAt: new Date(world.now.createdAt).toISOString(),
          createdBy: ada,
          lastSeq: 2,
          lastRev: 3,
          lastMessage: {
            messageId: second.messageId,
            seq: 2,
            senderId: ada,
            preview: 'Two',
            contentType: 'text',
            timestamp: second.timestamp,
          },
          lastActivityAt: second.timestamp,
          unreadCount: 1,
          lastReadMessageId: world.messageId(1),
          lastReadSeq: 1,
          visibleFromSeq: 1,
          memberCount: 2,
          members: expect.arrayContaining([
            {
              userId: ada,
              displayName: 'Ada',
              role: 'admin',
              joinedAt: new Date(world.now.createdAt).toISOString(),
              lastReadMessageId: second.messageId,
              lastDeliveredMessageId: second.messageId,
            },
            expect.objectContaining({ userId: bob, displayName: 'Bob', lastReadMessageId: world.messageId(1) }),
          ]),
          role: 'member',
          settings: { mutedUntil: '2027-01-01T00:00:00.000Z', pinned: true, archived: true },
        });
      });

      it('does not exist for somebody who does not belong to it, never did, or left', async () => {
        const world = await create([ada, bob]);
        await world.removeMembers(bob);
        for (const userId of [bob, eve, NOBODY]) {
          expect(await reader.conversation(world.id, userId)).toBeNull();
          expect(await reader.memberView(world.id, userId)).toBeNull();
          expect(await reader.members(world.id, userId, { after: null, limit: 10 })).toBeNull();
        }
        expect(await reader.conversation(NOBODY, ada)).toBeNull();
        expect(await reader.membership(NOBODY)).toBeNull();
      });

      it('names no message from before its viewer joined, in the preview nor in anybody’s marks', async () => {
        const world = await create([ada, bob]);
        await world.send(ada);
        await world.send(bob);
        await world.addMembers(eve);
        const view = await viewOf(world, eve);
        expect(view).toMatchObject({ lastMessage: null, lastReadMessageId: null, lastReadSeq: 2, unreadCount: 0 });
        expect(view.visibleFromSeq).toBe(3);
        const marks = (members: Conversation['members']) =>
          members.flatMap((member) => [member.lastReadMessageId, member.lastDeliveredMessageId]);
        expect(marks(view.members)).toEqual([null, null, null, null, null, null]);
        expect(marks((await reader.members(world.id, eve, { after: null, limit: 10 })) ?? [])).toEqual([
          null,
          null,
          null,
          null,
          null,
          null,
        ]);
        expect(marks(await reader.membersById(world.id, [eve]))).toEqual([null, null]);
        expect(await reader.memberView(world.id, eve)).toEqual({
          visibleFromSeq: 3,
          lastSeq: 2,
          lastRev: 4,
          readSeq: 2,
          readMessageId: null,
        });
        const third = await world.send(ada);
        const later = await viewOf(world, eve);
        expect(later.lastMessage?.messageId).toBe(third.messageId);
        expect(marks(later.members).filter((mark) => mark !== null)).toEqual([third.messageId, third.messageId]);
      });

      it('has no preview of a deleted message', async () => {
        const world = await create([ada, bob]);
        await world.send(ada, 'A secret');
        await world.deleteMessage(1, ada);
        expect((await viewOf(world, bob)).lastMessage).toMatchObject({ seq: 1, preview: '' });
      });

      it('shows the first 20 members in the order in which they joined', async () => {
        const others: string[] = [];
        for (let i = 0; i < 23; i++) others.push(await harness.addUser(`User ${i}`));
        const world = await create([ada, others[0] as string]);
        for (const userId of others.slice(1).reverse()) await world.addMembers(userId);
        const { members, memberCount } = await viewOf(world, ada);
        expect(memberCount).toBe(24);
        expect(members).toHaveLength(20);
        const founders = [ada, others[0] as string].sort();
        expect(members.map((member) => member.userId)).toEqual([
          ...founders,
          ...others.slice(5).reverse().slice(0, 18),
        ]);
      });

      it('is told to many viewers at once exactly as to each', async () => {
        const world = await create([ada, bob]);
        await world.send(ada);
        await world.addMembers(eve);
        await world.send(bob);
        const views = await reader.conversationFor(world.id, [ada, bob, eve, NOBODY]);
        expect([...views.keys()].sort()).toEqual([ada, bob, eve].sort());
        for (const [userId, view] of views) expect(view).toEqual(await viewOf(world, userId));
        expect(await reader.conversationFor(NOBODY, [ada])).toEqual(new Map());
      });
    });

    describe('membership', () => {
      it('holds who belongs to it now, with role and first visible seq', async () => {
        const world = await create([ada, bob]);
        await world.send(ada);
        await world.addMembers(eve);
        await world.removeMembers(bob);
        expect(await reader.membership(world.id)).toEqual({
          conversationId: world.id,
          type: 'group',
          membershipEpoch: 3,
          members: new Map([
            [ada, { role: 'admin', visibleFromSeq: 1, joinedEpoch: 1 }],
            [eve, { role: 'member', visibleFromSeq: 2, joinedEpoch: 2 }],
          ]),
        });
      });
    });

    describe('members in pages', () => {
      it('come each once, in the order in which they joined, also when several joined at once', async () => {
        const world = await create([ada, bob]);
        const crowd: string[] = [];
        for (let i = 0; i < 5; i++) crowd.push(await harness.addUser(`Crowd ${i}`));
        await world.addMembers(...crowd);
        const seen: string[] = [];
        let after: { joinedAt: string; userId: string } | null = null;
        for (;;) {
          const page: Member[] = (await reader.members(world.id, ada, { after, limit: 2 })) ?? [];
          seen.push(...page.map((member) => member.userId));
          const last = page.at(-1);
          if (!last) break;
          after = { joinedAt: last.joinedAt, userId: last.userId };
        }
        expect(seen).toEqual([...[ada, bob].sort(), ...crowd.sort()]);
      });
    });

    describe('a user’s conversations', () => {
      it('come newest activity first and each once, also when their times are equal', async () => {
        const at = Date.UTC(2026, 10, 22, 12);
        const same = await Promise.all([1, 2, 3].map(() => create([ada, bob], { at })));
        const newer = await create([ada, bob], { at: at + 1 });
        const older = await create([ada, bob], { at: at - 1 });
        const ids = same
          .map((world) => world.id)
          .sort()
          .reverse();
        expect(await listed(reader, ada, 2)).toEqual([newer.id, ...ids, older.id]);
        await older.send(bob);
        older.at = at + 5_000;
        await older.send(bob);
        expect(await listed(reader, ada, 50)).toEqual([older.id, newer.id, ...ids]);
      });

      it('are paged without a repeat while new activity happens', async () => {
        const at = Date.UTC(2026, 10, 22, 13);
        const worlds = [];
        for (let i = 0; i < 6; i++) worlds.push(await create([ada, bob], { at: at + i }));
        const first = await reader.list(ada, { archived: null, after: null, limit: 3 });
        await worlds[5]?.send(bob);
        await worlds[4]?.send(bob);
        const second = await reader.list(ada, { archived: null, after: placeOf(first.at(-1)), limit: 3 });
        expect([...first, ...second].map((conversation) => conversation.conversationId)).toEqual(
          worlds.map((world) => world.id).reverse(),
        );
      });

      it('are filtered by the caller’s own archive', async () => {
        const kept = await create([ada, bob]);
        const archived = await create([ada, bob]);
        await archived.settings(ada, { archived: true });
        const ids = async (user: string, filter: boolean | null) =>
          (await reader.list(user, { archived: filter, after: null, limit: 10 }))
            .map((item) => item.conversationId)
            .sort();
        expect(await ids(ada, true)).toEqual([archived.id]);
        expect(await ids(ada, false)).toEqual([kept.id]);
        expect(await ids(ada, null)).toEqual([kept.id, archived.id].sort());
        expect(await ids(bob, false)).toEqual([kept.id, archived.id].sort());
      });

      it('are without those that the user left', async () => {
        const world = await create([ada, bob]);
        await world.removeMembers(bob);
        expect(await listed(reader, bob, 10)).toEqual([]);
      });
    });

    changesSuite(() => ({ harness, ada, bob, eve }));
    receiptsSuite(() => ({ harness, ada, bob, eve }));

    it('takes ids that nobody has', async () => {
      expect(await reader.membersById(randomUUID(), [randomUUID()])).toEqual([]);
      expect(await reader.list(randomUUID(), { archived: null, after: null, limit: 10 })).toEqual([]);
      expect(await reader.receipts(randomUUID(), { seq: 1, senderId: NOBODY, at: 0 })).toEqual([]);
    });
  });
}

function placeOf(conversation: Conversation | undefined): ConversationPlace | null {
  return conversation
    ? { lastActivityAt: conversation.lastActivityAt, conversationId: conversation.conversationId }
    : null;
}

/** All of a user's conversations, read in pages. */
async function listed(reader: ConversationReader, userId: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: ConversationPlace | null = null;
  for (;;) {
    const page = await reader.list(userId, { archived: null, after, limit });
    ids.push(...page.map((conversation) => conversation.conversationId));
    if (page.length < limit) return ids;
    after = placeOf(page.at(-1));
  }
}
