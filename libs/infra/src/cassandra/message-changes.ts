import type { ChangesPage, ChangesRead } from '@parley/domain';
import type { Client, types } from 'cassandra-driver';
import { changeBucketOf } from './message-partitions.js';
import { CHANGE_BUCKETS, CHANGES_AFTER } from './message-reads.js';
import { type MessageRow, rowTextBytes } from './message-rows.js';
import { rowsAt } from './message-rows-at.js';
import { fitting, wholeMessages } from './whole-messages.js';

/** Entries looked at in one request; three numbers each. */
const ENTRIES_PER_READ = 1_000;
const BUCKETS_PER_READ = 100;
const ROWS_PER_STEP = 128;

interface ChangeEntry extends types.Row {
  rev: bigint;
  seq: bigint;
  message_id: bigint;
}

/** Reads the changes of a conversation by rev, skipping entries that a later change of the same message overtook. */
export async function readChanges(client: Client, request: ChangesRead): Promise<ChangesPage> {
  const { conversationId, limit, bytesMax } = request;
  const current = await currentChanges(client, request);
  const kept = fitting(current.slice(0, limit), rowTextBytes, bytesMax);
  const messages = await wholeMessages(client, conversationId, kept, bytesMax);
  return { messages, more: current.length > messages.length };
}

/** One more than the limit, where there are so many. */
async function currentChanges(client: Client, request: ChangesRead): Promise<MessageRow[]> {
  const { conversationId, afterRev, range, limit } = request;
  const current: MessageRow[] = [];
  /** Revs of the messages that were looked at: an entry that is behind costs no second look. */
  const revs = new Map<bigint, bigint>();
  for await (const entries of entriesAfter(client, conversationId, afterRev)) {
    const shown = entries.filter(({ seq }) => Number(seq) >= range.fromSeq && Number(seq) <= range.toSeq);
    // In steps, so that no more rows are brought here than the page may need.
    for (let from = 0; from < shown.length; from += ROWS_PER_STEP) {
      const step = shown.slice(from, from + ROWS_PER_STEP).filter((entry) => !isBehind(entry, revs));
      const rows = new Map<bigint, MessageRow>();
      for (const row of await rowsAt(client, conversationId, step)) {
        rows.set(row.message_id, row);
        revs.set(row.message_id, row.rev);
      }
      for (const { message_id, rev } of step) {
        const row = rows.get(message_id);
        if (row?.rev === rev) current.push(row);
      }
      if (current.length > limit) return current.slice(0, limit + 1);
    }
  }
  return current;
}

function isBehind({ message_id, rev }: ChangeEntry, revs: ReadonlyMap<bigint, bigint>): boolean {
  const known = revs.get(message_id);
  return known !== undefined && known > rev;
}

async function* entriesAfter(client: Client, conversationId: string, afterRev: number): AsyncGenerator<ChangeEntry[]> {
  for (let next = changeBucketOf(afterRev + 1); ;) {
    const { rows: buckets } = await client.execute(CHANGE_BUCKETS, [conversationId, next, BUCKETS_PER_READ]);
    for (const { bucket } of buckets as unknown as { bucket: number }[]) {
      for (let after = BigInt(afterRev); ;) {
        const params = [conversationId, bucket, after, ENTRIES_PER_READ];
        const entries = (await client.execute(CHANGES_AFTER, params)).rows as unknown as ChangeEntry[];
        if (entries.length > 0) yield entries;
        if (entries.length < ENTRIES_PER_READ) break;
        after = (entries.at(-1) as ChangeEntry).rev;
      }
      next = bucket + 1;
    }
    if (buckets.length < BUCKETS_PER_READ) return;
  }
}
