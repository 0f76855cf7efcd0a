import { type Message, PAGE_BYTES_MAX } from '@parley/contracts';
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
import type { Pool, QueryArrayConfig, QueryArrayResult } from 'pg';
import { partOf, statementOf } from '../sql/fragment.js';
import { storeAnswer } from '../store-answer.js';
import { MESSAGES, SENT_KEYS } from './message-fragments.js';
import { boundedPageSql, CHANGES, NEWEST_FIRST, OLDEST_FIRST, type PageSource, shortPageSql } from './message-pages.js';
import { MESSAGE_COLUMNS, type MessageRow, isWhole, messageOf } from './message-rows.js';
import { type MessageTails, TAIL_MESSAGES_MAX } from './message-tails.js';

/** Of one tail: twice a page, so that a page of large messages is found in it too. */
const TAIL_BYTES_MAX = 2 * PAGE_BYTES_MAX;

type CountedRow = [found: string, ...MessageRow];
type SendKeyRow = [string, string, string, messageId: string, seq: string, rev: string, sentAt: Date, hash: string];

/**
 * Messages as rows, with the tails of busy conversations in memory where one process makes all commits.
 * @throws DomainError `store_unavailable` from every read while the database is away or silent
 */
export class PostgresMessageStore extends MessageStore {
  constructor(
    private readonly pool: Pool,
    private readonly tails: MessageTails | null = null,
  ) {
    super();
  }

  override async append(writes: readonly MessageWrite[]): Promise<void> {
    if (writes.length === 0) return;
    const sends = writes.flatMap((write) => write.send ?? []);
    await this.pool.query(statementOf([partOf(MESSAGES, writes), partOf(SENT_KEYS, sends)], 'SELECT 1'));
    this.tails?.follow(writes);
  }

  override async read(request: MessageRead): Promise<readonly Message[]> {
    const cached = this.tails?.read(request);
    if (cached) return cached;
    const messages = await this.select(request);
    if (request.order === 'newest-first' && this.tails) void this.fillTail(request.conversationId);
    return messages;
  }

  override async find(conversationId: string, messageIds: readonly string[]): Promise<Message[]> {
    const found: Message[] = [];
    const missing = messageIds.filter((messageId) => {
      const message = this.tails?.find(conversationId, messageId);
      if (message) found.push(message);
      return !message;
    });
    if (missing.length === 0) return found;
    const { rows } = await this.query<MessageRow>({
      name: 'message_find',
      text: `SELECT ${MESSAGE_COLUMNS} FROM message WHERE message_id = ANY ($2::bigint[]) AND conversation_id = $1`,
      values: [conversationId, missing],
      rowMode: 'array',
    });
    return [...found, ...rows.map((row) => messageOf(conversationId, row))];
  }

  override async locate(conversationId: string, messageId: string): Promise<LocatedMessage | null> {
    const [message] = await this.find(conversationId, [messageId]);
    if (!message) return null;
    return { messageId, seq: message.seq, authorId: message.senderId, deleted: message.deletedAt !== null };
  }

  override async conversationOf(messageId: string): Promise<string | null> {
    const { rows } = await this.query<[string]>({
      name: 'message_conversation',
      text: 'SELECT conversation_id FROM message WHERE message_id = $1',
      values: [messageId],
      rowMode: 'array',
    });
    return rows[0]?.[0] ?? null;
  }

  override async changes({ afterRev, ...request }: ChangesRead): Promise<ChangesPage> {
    const { messages, found } = await this.page(CHANGES, { ...request, limit: request.limit + 1 }, [afterRev]);
    const kept = messages.slice(0, request.limit);
    return { messages: kept, more: found > kept.length };
  }

  override async findSends(keys: readonly SendKey[]): Promise<SendRow[]> {
    if (keys.length === 0) return [];
    const { rows } = await this.query<SendKeyRow>({
      name: 'sent_key_find',
      text: `SELECT k.conversation_id, k.sender_id, k.client_msg_id, k.message_id, k.seq, k.rev, k.sent_at, k.request_hash
             FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS u(conversation_id, sender_id, client_msg_id)
             CROSS JOIN LATERAL (
               SELECT * FROM sent_key s WHERE s.conversation_id = u.conversation_id AND s.sender_id = u.sender_id
                 AND s.client_msg_id = u.client_msg_id COLLATE "C") AS k`,
      values: [
        keys.map((key) => key.conversationId),
        keys.map((key) => key.senderId),
        keys.map((key) => key.clientMsgId),
      ],
      rowMode: 'array',
    });
    return rows.map(([conversationId, senderId, clientMsgId, messageId, seq, rev, sentAt, requestHash]) => ({
      conversationId,
      senderId,
      clientMsgId,
      messageId,
      seq: Number(seq),
      rev: Number(rev),
      at: sentAt.getTime(),
      requestHash,
    }));
  }

  private query<Row extends unknown[]>(query: QueryArrayConfig): Promise<QueryArrayResult<Row>> {
    return storeAnswer(() => this.pool.query<Row>(query));
  }

  private async select({ order, ...request }: MessageRead): Promise<Message[]> {
    return (await this.page(order === 'newest-first' ? NEWEST_FIRST : OLDEST_FIRST, request)).messages;
  }

  /** @returns what fits, and of how many within the limit */
  private async page(
    source: PageSource,
    { conversationId, range, limit, bytesMax }: Omit<MessageRead, 'order'>,
    others: readonly number[] = [],
  ): Promise<{ messages: Message[]; found: number }> {
    const read = <Row extends unknown[] = unknown[]>(
      kind: string,
      text: string,
      bytes: number,
    ): Promise<QueryArrayResult<Row>> =>
      this.query<Row>({
        name: `message_${kind}_${source.name}`,
        text,
        values: [conversationId, range.fromSeq, range.toSeq, limit, bytes, ...others],
        rowMode: 'array',
      });
    const list = (rows: readonly MessageRow[]): Message[] => rows.map((row) => messageOf(conversationId, row));
    // Adding up would cost the ordinary page a fifth; where no message has more than its share, all of them fit.
    const { rows: next } = await read('short', shortPageSql(source), Math.floor(bytesMax / limit));
    if (next.every(isWhole)) return { messages: list(next), found: next.length };
    const { rows } = await read<CountedRow>('bounded', boundedPageSql(source), bytesMax);
    return { messages: list(rows.map(([, ...row]) => row)), found: Number(rows[0]?.[0] ?? 0) };
  }

  private async fillTail(conversationId: string): Promise<void> {
    const newest: MessageRead = {
      conversationId,
      range: { fromSeq: 0, toSeq: Number.MAX_SAFE_INTEGER },
      order: 'newest-first',
      limit: TAIL_MESSAGES_MAX,
      bytesMax: TAIL_BYTES_MAX,
    };
    await this.tails
      ?.fill(conversationId, async () => (await this.select(newest)).reverse())
      // The page was answered; without a tail the next one asks the store again.
      .catch(() => {});
  }
}
