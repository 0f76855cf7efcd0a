import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Message } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textBytes } from '../messages/text-bytes.js';
import type { MessageRead, MessageStore, MessageWrite } from './message-store.port.js';
import { deleted, edited, newConversation, SENDER, sent } from './testing/written-messages.js';

export interface MessageStoreUnderTest {
  store: MessageStore;
  close?: () => Promise<void>;
}

const BYTES_MAX = 1_000_000;
const NEVER_CHANGED = new Set<keyof Message>([
  'messageId',
  'seq',
  'conversationId',
  'senderId',
  'contentType',
  'clientMsgId',
  'timestamp',
  'replyToMessageId',
]);
const MEDIUM = {
  url: '/v1/media/x',
  thumbnailUrl: null,
  mimeType: 'image/png',
  sizeBytes: 7,
  width: 1,
  height: 2,
  fileName: 'x.png',
};
const isEmpty = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);
const EVERYTHING = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };

/** What every message store keeps to. */
export function messageStoreContract(name: string, make: () => Promise<MessageStoreUnderTest>): void {
  describe(`message store: ${name}`, () => {
    let opened: MessageStoreUnderTest;
    let store: MessageStore;
    beforeAll(async () => {
      opened = await make();
      store = opened.store;
    });
    afterAll(async () => opened.close?.());

    const filled = async (count: number): Promise<{ conversationId: string; writes: MessageWrite[] }> => {
      const conversationId = newConversation();
      const writes = Array.from({ length: count }, (_, index) => sent(conversationId, index + 1));
      await store.append(writes);
      return { conversationId, writes };
    };
    const all = (conversationId: string, limit = 500): Promise<readonly Message[]> =>
      store.read({ conversationId, range: EVERYTHING, order: 'oldest-first', limit, bytesMax: BYTES_MAX });
    const seqs = (messages: readonly Message[]): number[] => messages.map((message) => message.seq);

    it('gives back what was written, to the letter', async () => {
      const conversationId = newConversation();
      const odd = sent(conversationId, 1, `quotes " ' \\ {a,b} , NULL \n\t emoji 🦊 \u202e combining e\u0301`);
      odd.message.replyToMessageId = '9223372036854775807';
      odd.message.reactions = [{ emoji: '👍', userIds: [SENDER] }];
      await store.append([odd]);
      expect(await all(conversationId)).toEqual([odd.message]);
    });

    it('writes every field of a message, and replaces each that a change may touch', async () => {
      const conversationId = newConversation();
      const { message, send } = sent(conversationId, 1);
      const media = [{ ...MEDIUM, mediaId: randomUUID() }];
      const reactions = [{ emoji: '👍', userIds: [SENDER] }];
      const whole = { ...message, media, reactions, replyToMessageId: '1', editedAt: message.timestamp };
      const gone = { ...whole, rev: whole.rev + 1, content: '', media: [], reactions: [] };
      const changed = { ...gone, editedAt: '2026-11-22T11:00:00.000Z', deletedAt: '2026-11-22T12:00:00.000Z' };
      const fields = Object.keys(message) as (keyof Message)[];
      // A field that is new gets a value in both, or nothing here sees it written and replaced.
      expect(fields.filter((field) => field !== 'deletedAt' && isEmpty(whole[field]))).toEqual([]);
      const kept = fields.filter((field) => isDeepStrictEqual(whole[field], changed[field]));
      expect(kept.filter((field) => !NEVER_CHANGED.has(field))).toEqual([]);
      await store.append([{ message: whole, send }]);
      expect(await all(conversationId)).toEqual([whole]);
      await store.append([{ message: changed, send: null }]);
      expect(await all(conversationId)).toEqual([changed]);
    });

    it('shows a write to every read that begins after it', async () => {
      const conversationId = newConversation();
      for (let seq = 1; seq <= 5; seq++) {
        await store.append([sent(conversationId, seq)]);
        const page = await store.read({
          conversationId,
          range: EVERYTHING,
          order: 'newest-first',
          limit: 1,
          bytesMax: BYTES_MAX,
        });
        expect(seqs(page)).toEqual([seq]);
      }
    });

    it('reads pages in both directions within the range, exactly the next ones', async () => {
      const { conversationId } = await filled(9);
      const read = (order: 'oldest-first' | 'newest-first', fromSeq: number, toSeq: number, limit: number) =>
        store.read({ conversationId, range: { fromSeq, toSeq }, order, limit, bytesMax: BYTES_MAX }).then(seqs);
      expect(await read('newest-first', 1, 9, 3)).toEqual([9, 8, 7]);
      expect(await read('newest-first', 1, 6, 3)).toEqual([6, 5, 4]);
      expect(await read('newest-first', 5, 6, 3)).toEqual([6, 5]);
      expect(await read('oldest-first', 3, 9, 3)).toEqual([3, 4, 5]);
      expect(await read('oldest-first', 8, 9, 3)).toEqual([8, 9]);
      expect(await read('oldest-first', 10, 9, 3)).toEqual([]);
    });

    it('pages through more messages than any cache holds, without a hole or a repeat', async () => {
      const { conversationId } = await filled(700);
      const seen: number[] = [];
      for (let toSeq = Number.MAX_SAFE_INTEGER; ;) {
        const page = await store.read({
          conversationId,
          range: { fromSeq: 1, toSeq },
          order: 'newest-first',
          limit: 90,
          bytesMax: BYTES_MAX,
        });
        if (page.length === 0) break;
        seen.push(...seqs(page));
        toSeq = (seen.at(-1) as number) - 1;
      }
      expect(seen).toEqual(Array.from({ length: 700 }, (_, index) => 700 - index));
    });

    describe('a bound in bytes', () => {
      const sized = async (...chars: number[]): Promise<string> => {
        const conversationId = newConversation();
        await store.append(chars.map((count, index) => sent(conversationId, index + 1, 'x'.repeat(count))));
        return conversationId;
      };
      const read = (conversationId: string, request: Partial<MessageRead>): Promise<number[]> =>
        store
          .read({ conversationId, range: EVERYTHING, order: 'oldest-first', limit: 50, bytesMax: 1_000, ...request })
          .then(seqs);

      it('ends a page before the first message that does not fit, smaller ones behind it or not', async () => {
        const conversationId = await sized(300, 300, 400, 1, 600, 300, 101, 5);
        expect(await read(conversationId, {})).toEqual([1, 2, 3]);
        expect(await read(conversationId, { bytesMax: 1_001 })).toEqual([1, 2, 3, 4]);
        expect(await read(conversationId, { order: 'newest-first' })).toEqual([8, 7, 6]);
        expect(await read(conversationId, { order: 'newest-first', bytesMax: 1_006 })).toEqual([8, 7, 6, 5]);
        expect(await read(conversationId, { range: { fromSeq: 4, toSeq: 6 }, limit: 2 })).toEqual([4, 5]);
      });

      it('gives a first message of any size, and after an empty one nothing that does not fit', async () => {
        const conversationId = await sized(0, 5_000, 0, 5_000);
        expect(await read(conversationId, { order: 'newest-first' })).toEqual([4]);
        expect(await read(conversationId, {})).toEqual([1]);
        expect(await read(conversationId, { range: { fromSeq: 2, toSeq: 4 } })).toEqual([2]);
        expect(await read(conversationId, { range: { fromSeq: 5, toSeq: 9 } })).toEqual([]);
      });

      it('counts bytes rather than characters, and media and reactions too', async () => {
        const conversationId = newConversation();
        const writes = [
          sent(conversationId, 1, '€'.repeat(100)),
          sent(conversationId, 2, 'x'),
          sent(conversationId, 3),
        ];
        writes[1]?.message.media.push({ url: `https://media.example/${'m'.repeat(200)}` } as Message['media'][number]);
        writes[2]?.message.reactions.push({ emoji: '👍', userIds: Array.from({ length: 10 }, () => SENDER) });
        await store.append(writes);
        const sizes = writes.map(({ message }) => textBytes(message)) as [number, number, number];
        expect(sizes[0]).toBe(300);
        for (const [count, bytes] of [sizes[0], sizes[0] + sizes[1], sizes[0] + sizes[1] + sizes[2]].entries()) {
          expect(await read(conversationId, { bytesMax: bytes })).toEqual([1, 2, 3].slice(0, count + 1));
          expect(await read(conversationId, { bytesMax: bytes - 1 })).toEqual([1, 2, 3].slice(0, Math.max(count, 1)));
        }
      });

      it('leads through everything in both directions, also where every page is cut', async () => {
        const conversationId = await sized(...Array.from({ length: 300 }, (_, index) => 100 + ((index * 37) % 900)));
        const order = Array.from({ length: 300 }, (_, index) => index + 1);
        const seen: number[] = [];
        for (let page = await read(conversationId, {}); page.length > 0;) {
          expect(page.length).toBeLessThan(10);
          seen.push(...page);
          page = await read(conversationId, { range: { ...EVERYTHING, fromSeq: (seen.at(-1) as number) + 1 } });
        }
        expect(seen).toEqual(order);
        const back: number[] = [];
        for (let page = await read(conversationId, { order: 'newest-first' }); page.length > 0;) {
          back.push(...page);
          const toSeq = (back.at(-1) as number) - 1;
          page = await read(conversationId, { order: 'newest-first', range: { fromSeq: 1, toSeq } });
        }
        expect(back).toEqual(order.toReversed());
      });

      it('ends a page of changes too, and says that there are more', async () => {
        const { conversationId, writes } = await filled(4);
        const changed = writes.map((each, index) =>
          edited(each, 10 + index, 'x'.repeat([400, 600, 1, 5_000][index] ?? 0)),
        );
        await store.append(changed);
        const changes = (afterRev: number, limit = 9) =>
          store
            .changes({ conversationId, afterRev, range: EVERYTHING, limit, bytesMax: 1_000 })
            .then(({ messages, more }) => [seqs(messages), more]);
        expect(await changes(0)).toEqual([[1, 2], true]);
        expect(await changes(0, 2)).toEqual([[1, 2], true]);
        expect(await changes(11)).toEqual([[3], true]);
        expect(await changes(12)).toEqual([[4], false]);
      });
    });

    it('changes nothing when a write comes again', async () => {
      const { conversationId, writes } = await filled(3);
      await store.append(writes);
      expect(await all(conversationId)).toEqual(writes.map((each) => each.message));
    });

    it('lets no late writer undo a newer edit', async () => {
      const { conversationId, writes } = await filled(1);
      const original = writes[0] as MessageWrite;
      const newer = edited(original, 9, 'newer');
      await store.append([newer]);
      await store.append([edited(original, 8, 'older'), original]);
      expect(await all(conversationId)).toEqual([newer.message]);
    });

    it('finds messages by id in their own conversation only', async () => {
      const { conversationId, writes } = await filled(2);
      const other = await filled(1);
      const ids = [...writes, ...other.writes].map(({ message }) => message.messageId);
      expect(seqs(await store.find(conversationId, ids)).toSorted((one, other) => one - other)).toEqual([1, 2]);
      expect(await store.find(conversationId, ['1'])).toEqual([]);
    });

    it('locates a message and tells whether it is deleted', async () => {
      const { conversationId, writes } = await filled(1);
      const [write] = writes as [MessageWrite];
      const { messageId, seq } = write.message;
      expect(await store.locate(conversationId, messageId)).toEqual({
        messageId,
        seq,
        authorId: SENDER,
        deleted: false,
      });
      await store.append([deleted(write, 7)]);
      expect(await store.locate(conversationId, messageId)).toMatchObject({ deleted: true });
      expect(await store.locate(newConversation(), messageId)).toBeNull();
      expect(await store.conversationOf(messageId)).toBe(conversationId);
      expect(await store.conversationOf('1')).toBeNull();
    });

    it('lists changed messages by rev, and never those that are as they were sent', async () => {
      const { conversationId, writes } = await filled(4);
      const [first, second, third] = writes as [MessageWrite, MessageWrite, MessageWrite];
      await store.append([edited(third, 6, 'c'), edited(first, 7, 'a')]);
      await store.append([edited(second, 8, 'b')]);
      const changes = (afterRev: number, toSeq: number, limit: number) =>
        store
          .changes({ conversationId, afterRev, range: { fromSeq: 1, toSeq }, limit, bytesMax: BYTES_MAX })
          .then(({ messages, more }) => [seqs(messages), more]);
      expect(await changes(0, 4, 9)).toEqual([[3, 1, 2], false]);
      expect(await changes(0, 4, 3)).toEqual([[3, 1, 2], false]);
      expect(await changes(6, 4, 9)).toEqual([[1, 2], false]);
      expect(await changes(0, 2, 1)).toEqual([[1], true]);
      expect(await changes(8, 4, 9)).toEqual([[], false]);
    });

    it('counts a message as changed that was changed in the very write that made it', async () => {
      const conversationId = newConversation();
      const made = sent(conversationId, 1);
      await store.append([{ message: edited(made, 5, 'at once').message, send: made.send }]);
      const request = { conversationId, afterRev: 0, range: EVERYTHING, limit: 9, bytesMax: BYTES_MAX };
      expect(seqs((await store.changes(request)).messages)).toEqual([1]);
    });

    it('finds earlier sends by conversation, sender and clientMsgId', async () => {
      const { conversationId, writes } = await filled(3);
      const key = { conversationId, senderId: SENDER, clientMsgId: 'c2' };
      const found = await store.findSends([
        key,
        { ...key, clientMsgId: 'C2' },
        { ...key, conversationId: newConversation() },
      ]);
      expect(found).toEqual([writes[1]?.send]);
    });
  });
}
