import type { Message } from '@parley/contracts';
import {
  type ChangesPage,
  type ChangesRead,
  type LocatedMessage,
  type MessageRead,
  MessageStore,
  type MessageWrite,
  type SendKey,
  type SendRow,
} from '@parley/domain';
import type { Client, types } from 'cassandra-driver';
import { mapBounded } from './bounded-concurrency.js';
import { cassandraAnswer, cassandraWrite } from './cassandra-answer.js';
import { readChanges } from './message-changes.js';
import { bucketOf, seqsOf } from './message-partitions.js';
import { LAST_BUCKET_BEFORE, MESSAGE_PLACE, PAGE_NEWEST_FIRST, PAGE_OLDEST_FIRST, SENT_KEY } from './message-reads.js';
import { type MessageRow, rowTextBytes } from './message-rows.js';
import { type MessagePlace, rowsAt } from './message-rows-at.js';
import { partitionWrites, type Statement } from './message-writes.js';
import { NodeReturns } from './node-returns.js';
import { replicasOf } from './replica-names.js';
import { nodeStarts } from './node-starts.js';
import { fitting, wholeMessages } from './whole-messages.js';
import { writeRequests } from './write-requests.js';

/** Requests of one call that are under way at a time. */
const REQUESTS_AT_ONCE_MAX = 64;
/** Nobody waits for a write but the pipeline, which would only begin it again. */
const WRITE_TIMEOUT_MS = 5_000;
/** Ids are 64-bit numbers with a sign; a greater one is nobody's. */
const MESSAGE_ID_MAX = 2n ** 63n - 1n;

const WHOLE_IN = 'SELECT run FROM whole_partition WHERE partition = ?';
const MARK_WHOLE = 'UPDATE whole_partition SET run = ? WHERE partition = ?';

interface PlaceRow extends types.Row {
  conversation_id: types.Uuid;
  seq: bigint;
}

interface SentKeyRow extends types.Row {
  message_id: bigint;
  seq: bigint;
  rev: bigint;
  sent_at: Date;
  request_hash: string;
}

/**
 * Messages in partitions of conversation and 2,000 seqs. Every row carries the conversation's rev as write timestamp, so
 * writes may come twice and in any order; a batch of writes is not one transaction.
 * @throws DomainError `store_unavailable` while too few nodes answer: from reads within 2 s, from writes within 6 s
 */
export class CassandraMessageStore extends MessageStore {
  private readonly returns: NodeReturns;

  constructor(private readonly client: Client) {
    super();
    this.returns = new NodeReturns(client);
  }

  /** @throws DataRefused for a message that is larger than the nodes take */
  override async append(writes: readonly MessageWrite[]): Promise<void> {
    if (writes.length === 0) return;
    await cassandraWrite(async () => {
      const requests = writeRequests(partitionWrites(writes), replicasOf(this.client));
      await mapBounded(requests, REQUESTS_AT_ONCE_MAX, (statements) => this.write(statements));
    });
  }

  override async read({ conversationId, limit, bytesMax, ...request }: MessageRead): Promise<readonly Message[]> {
    return cassandraAnswer(async () => {
      const { fromSeq, toSeq } = request.range;
      const rows =
        request.order === 'newest-first'
          ? await this.newestRows(conversationId, fromSeq, toSeq, limit)
          : await this.oldestRows(conversationId, fromSeq, toSeq, limit);
      return wholeMessages(this.client, conversationId, fitting(rows, rowTextBytes, bytesMax), bytesMax);
    });
  }

  override async find(conversationId: string, messageIds: readonly string[]): Promise<Message[]> {
    return cassandraAnswer(async () => {
      const found = await mapBounded(messageIds, REQUESTS_AT_ONCE_MAX, (id) => this.placeIn(conversationId, id));
      const rows = await rowsAt(
        this.client,
        conversationId,
        found.filter((place) => place !== null),
      );
      return wholeMessages(this.client, conversationId, rows, Number.POSITIVE_INFINITY);
    });
  }

  override async locate(conversationId: string, messageId: string): Promise<LocatedMessage | null> {
    const [message] = await this.find(conversationId, [messageId]);
    if (!message) return null;
    return { messageId, seq: message.seq, authorId: message.senderId, deleted: message.deletedAt !== null };
  }

  override async conversationOf(messageId: string): Promise<string | null> {
    const place = await cassandraAnswer(() => this.placeOf(messageId));
    return place?.conversation_id.toString() ?? null;
  }

  override async changes(request: ChangesRead): Promise<ChangesPage> {
    return cassandraAnswer(() => readChanges(this.client, request));
  }

  override async findSends(keys: readonly SendKey[]): Promise<SendRow[]> {
    return cassandraAnswer(async () => {
      const rows = await mapBounded(keys, REQUESTS_AT_ONCE_MAX, (key) => this.findSend(key));
      return rows.filter((row) => row !== null);
    });
  }

  override onNodeReturned(listener: (awaySinceMs: number) => void): () => void {
    return this.returns.listen(listener);
  }

  override async currentRun(): Promise<string | null> {
    return cassandraAnswer(() => nodeStarts(this.client));
  }

  override async wholeIn(run: string, partitions: readonly number[]): Promise<ReadonlySet<number>> {
    return cassandraAnswer(async () => {
      const whole = new Set<number>();
      await mapBounded(partitions, REQUESTS_AT_ONCE_MAX, async (partition) => {
        const [row] = await this.select(WHOLE_IN, [partition]);
        if (row?.['run'] === run) whole.add(partition);
      });
      return whole;
    });
  }

  override async markWhole(run: string, partitions: readonly number[]): Promise<void> {
    await cassandraWrite(async () => {
      await mapBounded(partitions, REQUESTS_AT_ONCE_MAX, (partition) =>
        this.client.execute(MARK_WHOLE, [run, partition], { readTimeout: WRITE_TIMEOUT_MS }),
      );
    });
  }

  private async write(statements: readonly Statement[]): Promise<void> {
    const [first] = statements;
    if (first && statements.length === 1) {
      await this.client.execute(first.query, first.params, { readTimeout: WRITE_TIMEOUT_MS });
    } else {
      await this.client.batch([...statements], { logged: false, readTimeout: WRITE_TIMEOUT_MS });
    }
  }

  private async newestRows(conversationId: string, fromSeq: number, toSeq: number, limit: number) {
    const rows: MessageRow[] = [];
    const lowest = bucketOf(fromSeq);
    for (let bucket: number | null = bucketOf(toSeq); bucket !== null && bucket >= lowest && rows.length < limit;) {
      const params = [conversationId, bucket, BigInt(fromSeq), BigInt(toSeq), limit - rows.length];
      const found = await this.select<MessageRow>(PAGE_NEWEST_FIRST, params);
      rows.push(...found);
      if (found.length > 0) bucket--;
      // The range is open, or ahead of what is written: its end is found once, below it there is no hole.
      else if (rows.length === 0 && bucket > lowest) bucket = await this.lastBucketBefore(conversationId, bucket);
      else break;
    }
    return rows;
  }

  private async oldestRows(conversationId: string, fromSeq: number, toSeq: number, limit: number) {
    const rows: MessageRow[] = [];
    const highest = bucketOf(toSeq);
    for (let bucket = bucketOf(fromSeq); bucket <= highest && rows.length < limit; bucket++) {
      const params = [conversationId, bucket, BigInt(fromSeq), BigInt(toSeq), limit - rows.length];
      const found = await this.select<MessageRow>(PAGE_OLDEST_FIRST, params);
      rows.push(...found);
      // A bucket that is not full is the last one.
      if (Number(found.at(-1)?.seq ?? 0) < seqsOf(bucket).last) break;
    }
    return rows;
  }

  private async lastBucketBefore(conversationId: string, bucket: number): Promise<number | null> {
    const [row] = await this.select<types.Row & { bucket: number }>(LAST_BUCKET_BEFORE, [conversationId, bucket]);
    return row?.bucket ?? null;
  }

  private async placeIn(conversationId: string, messageId: string): Promise<MessagePlace | null> {
    const place = await this.placeOf(messageId);
    if (place?.conversation_id.toString() !== conversationId) return null;
    return { seq: place.seq, message_id: BigInt(messageId) };
  }

  private async placeOf(messageId: string): Promise<PlaceRow | undefined> {
    const id = BigInt(messageId);
    if (id > MESSAGE_ID_MAX) return undefined;
    const [place] = await this.select<PlaceRow>(MESSAGE_PLACE, [id]);
    return place;
  }

  private async findSend({ conversationId, senderId, clientMsgId }: SendKey): Promise<SendRow | null> {
    const [row] = await this.select<SentKeyRow>(SENT_KEY, [conversationId, senderId, clientMsgId]);
    if (!row) return null;
    return {
      conversationId,
      senderId,
      clientMsgId,
      messageId: row.message_id.toString(),
      seq: Number(row.seq),
      rev: Number(row.rev),
      at: row.sent_at.getTime(),
      requestHash: row.request_hash,
    };
  }

  private async select<Row extends types.Row>(query: string, params: unknown[]): Promise<Row[]> {
    return (await this.client.execute(query, params)).rows as Row[];
  }
}
