import type { Client } from 'cassandra-driver';
import { mapBounded } from './bounded-concurrency.js';
import { bucketOf } from './message-partitions.js';
import { MESSAGES_SHORT } from './message-reads.js';
import type { MessageRow } from './message-rows.js';

/** Rows in one answer: without long texts, at most 130 KiB. */
const ROWS_PER_REQUEST_MAX = 32;
const REQUESTS_AT_ONCE_MAX = 32;

/** Where in a conversation a message lies. */
export interface MessagePlace {
  seq: bigint;
  message_id: bigint;
}

/** The rows of messages at these places, without long texts and in no order; a place without that message has none. */
export async function rowsAt(
  client: Client,
  conversationId: string,
  places: readonly MessagePlace[],
): Promise<MessageRow[]> {
  const ids = new Set(places.map(({ message_id }) => message_id));
  const rows = await mapBounded(requestsFor(places), REQUESTS_AT_ONCE_MAX, async ({ bucket, seqs }) => {
    const answer = await client.execute(MESSAGES_SHORT, [conversationId, bucket, seqs]);
    return answer.rows as unknown as MessageRow[];
  });
  return rows.flat().filter(({ message_id }) => ids.has(message_id));
}

function requestsFor(places: readonly MessagePlace[]): { bucket: number; seqs: bigint[] }[] {
  const requests: { bucket: number; seqs: bigint[] }[] = [];
  const open = new Map<number, bigint[]>();
  for (const seq of new Set(places.map((place) => place.seq))) {
    const bucket = bucketOf(Number(seq));
    const seqs = open.get(bucket);
    if (seqs && seqs.length < ROWS_PER_REQUEST_MAX) {
      seqs.push(seq);
      continue;
    }
    const started = [seq];
    open.set(bucket, started);
    requests.push({ bucket, seqs: started });
  }
  return requests;
}
