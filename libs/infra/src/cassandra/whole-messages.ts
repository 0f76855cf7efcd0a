import type { Message } from '@parley/contracts';
import { textBytes } from '@parley/domain';
import type { Client } from 'cassandra-driver';
import { mapBounded } from './bounded-concurrency.js';
import { bucketOf } from './message-partitions.js';
import { MESSAGE_WHOLE } from './message-reads.js';
import { hasLongText, type MessageRow, messageOf } from './message-rows.js';

/** Long texts that are brought here at a time. */
const LONG_TEXTS_AT_ONCE_MAX = 8;

/** The first ones that fit, and the very first whatever its size. */
export function fitting<Item>(items: readonly Item[], bytesOf: (item: Item) => number, bytesMax: number): Item[] {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += bytesOf(item);
    return index > 0 && bytes > bytesMax;
  });
  return items.slice(0, end === -1 ? items.length : end);
}

/** The rows as messages, with their long texts. Cut once more: one of them may have been edited since it was read. */
export async function wholeMessages(
  client: Client,
  conversationId: string,
  rows: readonly MessageRow[],
  bytesMax: number,
): Promise<Message[]> {
  if (!rows.some(hasLongText)) return rows.map((row) => messageOf(conversationId, row));
  const messages = await mapBounded(rows, LONG_TEXTS_AT_ONCE_MAX, async (row) => {
    if (!hasLongText(row)) return messageOf(conversationId, row);
    const params = [conversationId, bucketOf(Number(row.seq)), row.seq, row.message_id];
    const { rows: whole } = await client.execute(MESSAGE_WHOLE, params);
    return messageOf(conversationId, (whole[0] ?? row) as MessageRow);
  });
  return fitting(messages, textBytes, bytesMax);
}
