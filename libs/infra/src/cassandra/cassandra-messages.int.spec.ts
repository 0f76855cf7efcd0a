import type { Message } from '@parley/contracts';
import { DataRefused, type MessageRead, type MessageWrite } from '@parley/domain';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CassandraMessageStore } from './cassandra-message-store.js';
import { SHORT_TEXT_BYTES_MAX } from './message-rows.js';
import { partitionWrites } from './message-writes.js';
import { openTestKeyspace, type TestKeyspace } from './testing/test-keyspace.testing.js';
import {
  deleted,
  edited,
  newConversation,
  reacted,
  SENDER,
  sent,
} from '../../../domain/src/ports/testing/written-messages.js';

const EVERYTHING = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
const LONG = 'l'.repeat(SHORT_TEXT_BYTES_MAX + 1);

describe('messages in Cassandra', () => {
  let keyspace: TestKeyspace;
  let store: CassandraMessageStore;
  beforeAll(async () => {
    keyspace = await openTestKeyspace();
    store = new CassandraMessageStore(keyspace.client);
  });
  afterAll(async () => keyspace.close());

  const read = (conversationId: string, request: Partial<MessageRead> = {}): Promise<readonly Message[]> =>
    store.read({
      conversationId,
      range: EVERYTHING,
      order: 'oldest-first',
      limit: 300,
      bytesMax: 1_000_000,
      ...request,
    });
  const only = async (conversationId: string): Promise<Message | undefined> => (await read(conversationId))[0];

  it('know where the nodes look for their rows: its writes may travel together with others of the same nodes', async () => {
    const conversationId = newConversation();
    const message = sent(conversationId, 1);
    const change = edited(message, 3, 'edited');
    await store.append([message, change]);
    const tokens = async (columns: string, table: string): Promise<unknown[]> => {
      const { rows } = await keyspace.client.execute(`SELECT token(${columns}) AS place FROM ${table}`);
      return rows.map((row) => row['place'] as unknown);
    };
    const stored = [
      ...(await tokens('conversation_id, bucket', 'message')),
      ...(await tokens('conversation_id', 'message_bucket')),
      ...(await tokens('message_id', 'message_place')),
      ...(await tokens('conversation_id, bucket', 'message_change')),
      ...(await tokens('conversation_id', 'message_change_bucket')),
      ...(await tokens('conversation_id, sender_id, client_msg_id', 'sent_key')),
    ].map(String);
    const writes = partitionWrites([message, change]);
    const computed = writes.map(({ routingKey }) =>
      keyspace.client.metadata.newToken(routingKey).getValue().toString(),
    );
    expect(writes.length).toBeGreaterThanOrEqual(6);
    expect(computed.filter((token) => !stored.includes(token))).toEqual([]);
  });

  describe('over three partitions', () => {
    const conversationId = newConversation();
    const seqs = Array.from({ length: 5_000 }, (_, index) => index + 1);
    beforeAll(async () => {
      for (let from = 0; from < seqs.length; from += 1_000) {
        await store.append(seqs.slice(from, from + 1_000).map((seq) => sent(conversationId, seq)));
      }
    });
    const page = async (request: Partial<MessageRead>): Promise<number[]> =>
      (await read(conversationId, request)).map((message) => message.seq);

    it('leads through 5,000 messages in both directions, without a hole or a repeat', async () => {
      const up: number[] = [];
      for (let next = await page({}); next.length > 0;) {
        up.push(...next);
        next = await page({ range: { ...EVERYTHING, fromSeq: (up.at(-1) as number) + 1 } });
      }
      expect(up).toEqual(seqs);
      const down: number[] = [];
      for (let next = await page({ order: 'newest-first' }); next.length > 0;) {
        down.push(...next);
        next = await page({ order: 'newest-first', range: { fromSeq: 1, toSeq: (down.at(-1) as number) - 1 } });
      }
      expect(down).toEqual(seqs.toReversed());
    });

    it('gives whole pages across the border of two partitions', async () => {
      expect(await page({ range: { fromSeq: 1_999, toSeq: 5_000 }, limit: 4 })).toEqual([1_999, 2_000, 2_001, 2_002]);
      expect(await page({ range: { fromSeq: 1, toSeq: 4_001 }, order: 'newest-first', limit: 3 })).toEqual([
        4_001, 4_000, 3_999,
      ]);
      expect(await page({ range: { fromSeq: 1_999, toSeq: 2_001 } })).toEqual([1_999, 2_000, 2_001]);
    });

    it('finds the end of a range that is open, or in a partition that has not begun', async () => {
      expect(await page({ order: 'newest-first', limit: 2 })).toEqual([5_000, 4_999]);
      expect(await page({ order: 'newest-first', limit: 2, range: { fromSeq: 1, toSeq: 6_001 } })).toEqual([
        5_000, 4_999,
      ]);
      expect(await page({ range: { fromSeq: 5_001, toSeq: 9_000 } })).toEqual([]);
      expect(await page({ order: 'newest-first', range: { fromSeq: 5_001, toSeq: 99_000 } })).toEqual([]);
    });
  });

  describe('a late writer', () => {
    it('undoes no newer edit, and no newer end of a reaction', async () => {
      const conversationId = newConversation();
      const original = sent(conversationId, 1);
      const liked = reacted(original, 3, '👍', true);
      const newest = edited(reacted(liked, 4, '👍', false), 5, 'newest');
      await store.append([newest]);
      for (const late of [liked, original, edited(original, 3, 'older')]) await store.append([late]);
      expect(await only(conversationId)).toEqual(newest.message);
      expect(await store.findSends([{ conversationId, senderId: SENDER, clientMsgId: 'c1' }])).toEqual([original.send]);
    });

    it('brings no deleted text back, whatever it says and however new it calls itself', async () => {
      const conversationId = newConversation();
      const original = sent(conversationId, 1, LONG);
      const gone = deleted(original, 5);
      await store.append([original]);
      await store.append([gone]);
      await store.append([original, edited(original, 9, 'unaware of the deletion')]);
      expect(await only(conversationId)).toEqual({
        ...gone.message,
        rev: 9,
        editedAt: edited(original, 9, '').message.editedAt,
      });
      const { rows } = await keyspace.client.execute(
        'SELECT content, long_text FROM message WHERE conversation_id = ? AND bucket = 0',
        [conversationId],
      );
      expect(rows.map((row) => row.values())).toEqual([['', '']]);
    });
  });

  it('keeps a text whole while it changes from short to long and back', async () => {
    const conversationId = newConversation();
    let write: MessageWrite = sent(conversationId, 1, 'short');
    write.message.media.push({ mediaId: SENDER } as Message['media'][number]);
    await store.append([write]);
    for (const [index, content] of ['short', LONG, 'short again', `${LONG}${LONG}`].entries()) {
      write = edited(write, index + 3, content);
      await store.append([write]);
      expect(await only(conversationId)).toEqual(write.message);
      expect(await store.find(conversationId, [write.message.messageId])).toEqual([write.message]);
    }
  });

  it('brings no long text here that is not on the page', async () => {
    const conversationId = newConversation();
    const writes = [1, 2, 3].map((seq) => sent(conversationId, seq, LONG.repeat(seq)));
    await store.append(writes);
    const asked: unknown[] = [];
    const { client } = keyspace;
    const watched = new Proxy(client, {
      get: (target, name) =>
        name === 'execute'
          ? (query: string, params: unknown[]) => {
              if (query.includes('long_text')) asked.push(params[2]);
              return target.execute(query, params);
            }
          : Reflect.get(target, name),
    });
    const bytesMax = 3 * LONG.length;
    const request = { conversationId, range: EVERYTHING, order: 'oldest-first', limit: 10, bytesMax } as const;
    const page = await new CassandraMessageStore(watched).read(request);
    expect(page).toEqual(writes.slice(0, 2).map(({ message }) => message));
    expect(asked).toEqual([1n, 2n]);
  });

  it.each([
    ['a mutation', 6_000_000],
    ['a request', 40_000_000],
  ])('refuses for good what is larger than %s may be', async (_, bytes) => {
    const huge = sent(newConversation(), 1, 'x'.repeat(bytes));
    await expect(store.append([huge])).rejects.toBeInstanceOf(DataRefused);
    expect(await only(huge.message.conversationId)).toBeUndefined();
  });

  it('says that nobody has a message whose id no message can have', async () => {
    expect(await store.conversationOf('9223372036854775808')).toBeNull();
    expect(await store.find(newConversation(), ['18446744073709551615'])).toEqual([]);
  });

  it('lists changes over partitions of revs, each message once, however often it was changed', async () => {
    const conversationId = newConversation();
    const writes = [1, 2, 3].map((seq) => sent(conversationId, seq));
    await store.append(writes);
    const [first, second, third] = writes as [MessageWrite, MessageWrite, MessageWrite];
    const flicker = Array.from({ length: 1_500 }, (_, index) => edited(first, 100 + index, `${index}`));
    await store.append(flicker);
    await store.append([edited(second, 9_999, 'b'), edited(third, 10_001, 'c'), edited(first, 40_000, 'a')]);
    const changes = async (afterRev: number, limit = 50): Promise<[number[], boolean]> => {
      const page = await store.changes({ conversationId, afterRev, range: EVERYTHING, limit, bytesMax: 1_000_000 });
      return [page.messages.map(({ rev }) => rev), page.more];
    };
    expect(await changes(0)).toEqual([[9_999, 10_001, 40_000], false]);
    expect(await changes(0, 2)).toEqual([[9_999, 10_001], true]);
    expect(await changes(10_001)).toEqual([[40_000], false]);
    expect(await changes(40_000)).toEqual([[], false]);
  });
});
