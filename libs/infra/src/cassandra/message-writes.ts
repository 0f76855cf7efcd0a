import type { MessageWrite, SendRow } from '@parley/domain';
import { bucketOf, changeBucketOf, seqsOf } from './message-partitions.js';
import { isChanged, textColumns } from './message-rows.js';

export interface Statement {
  query: string;
  params: unknown[];
}

/** Statements on one partition: applied together, or not at all. */
export interface PartitionWrite {
  statements: Statement[];
  /** The partition's key in bytes, of which Cassandra makes the token that says where the partition is. */
  routingKey: Buffer;
  /** Of texts, roughly: what they weigh in a request. */
  bytes: number;
}

/** Statements of a partition that travel as one request. */
export const BATCH_STATEMENTS_MAX = 100;
/** Text in one request; a node refuses mutations above half a segment of its commit log, 4 MB at the least. */
export const BATCH_TEXT_BYTES_MAX = 256 * 1024;

const INSERT_MESSAGE = `
  INSERT INTO message (conversation_id, bucket, seq, message_id, rev, sender_id, content, content_type, client_msg_id,
    sent_at, media, reply_to_message_id, edited_at, reactions, text_bytes, long_text)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`;

/**
 * Above every rev, so that nothing brings a deleted text back. Empty values and no tombstones: a tombstone is dropped
 * some day, and then events of the message's past that are appended again would bring the text back after all.
 */
const DELETION_TIMESTAMP = 2n ** 62n;
const ERASE_MESSAGE = `
  UPDATE message USING TIMESTAMP ${DELETION_TIMESTAMP}
  SET deleted_at = ?, content = '', media = '', reactions = '', long_text = '', text_bytes = 0
  WHERE conversation_id = ? AND bucket = ? AND seq = ? AND message_id = ?`;

const INSERT_PLACE = 'INSERT INTO message_place (message_id, conversation_id, seq) VALUES (?, ?, ?) USING TIMESTAMP ?';

const INSERT_BUCKET = `
  INSERT INTO message_bucket (conversation_id, bucket, first_seq, first_message_id) VALUES (?, ?, ?, ?)
  USING TIMESTAMP ?`;

const INSERT_CHANGE = `
  INSERT INTO message_change (conversation_id, bucket, rev, seq, message_id) VALUES (?, ?, ?, ?, ?) USING TIMESTAMP ?`;

const INSERT_CHANGE_BUCKET =
  'INSERT INTO message_change_bucket (conversation_id, bucket) VALUES (?, ?) USING TIMESTAMP ?';

const INSERT_SENT_KEY = `
  INSERT INTO sent_key (conversation_id, sender_id, client_msg_id, message_id, seq, rev, sent_at, request_hash)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?`;

/** What is written for these messages, by partition. */
export function partitionWrites(writes: readonly MessageWrite[]): PartitionWrite[] {
  const messages = new PartitionWrites();
  const changes = new PartitionWrites();
  const changeBuckets = new Map<string, PartitionWrite>();
  const others: PartitionWrite[] = [];
  for (const write of writes) {
    const { conversationId, messageId, seq, rev } = write.message;
    const { statements, bytes } = messageStatements(write);
    messages.add(conversationId, bucketOf(seq), statements, bytes);
    if (write.send) {
      others.push({ statements: [placeStatement(write)], routingKey: bigintBytes(BigInt(messageId)), bytes: 0 });
      others.push(sentKeyWrite(write.send));
    }
    if (seq === seqsOf(bucketOf(seq)).first) {
      others.push({ statements: [bucketStatement(write)], routingKey: uuidBytes(conversationId), bytes: 0 });
    }
    if (!isChanged(write)) continue;
    changes.add(conversationId, changeBucketOf(rev), [changeStatement(write)], 0);
    const changeBucket = {
      statements: [changeBucketStatement(write)],
      routingKey: uuidBytes(conversationId),
      bytes: 0,
    };
    changeBuckets.set(`${conversationId}|${changeBucketOf(rev)}`, changeBucket);
  }
  return [...messages.all(), ...changes.all(), ...changeBuckets.values(), ...others];
}

/** Gathers statements by partition of a conversation and a bucket, in pieces that are bounded. */
class PartitionWrites {
  private readonly full: PartitionWrite[] = [];
  private readonly open = new Map<string, PartitionWrite>();

  add(conversationId: string, bucket: number, statements: readonly Statement[], bytes: number): void {
    const partition = `${conversationId}|${bucket}`;
    let piece = this.open.get(partition);
    if (piece && (piece.statements.length >= BATCH_STATEMENTS_MAX || piece.bytes + bytes > BATCH_TEXT_BYTES_MAX)) {
      this.full.push(piece);
      piece = undefined;
    }
    if (!piece) {
      piece = { statements: [], routingKey: compositeKey(uuidBytes(conversationId), intBytes(bucket)), bytes: 0 };
      this.open.set(partition, piece);
    }
    piece.statements.push(...statements);
    piece.bytes += bytes;
  }

  all(): PartitionWrite[] {
    return [...this.full, ...this.open.values()];
  }
}

const ZERO = Buffer.alloc(1);

function uuidBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex');
}

/** Each part with its length before it and a zero behind it. */
function compositeKey(...parts: readonly Buffer[]): Buffer {
  const pieces = parts.flatMap((part) => {
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(part.length);
    return [length, part, ZERO];
  });
  return Buffer.concat(pieces);
}

function intBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function bigintBytes(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

const time = (iso: string | null): Date | undefined => (iso === null ? undefined : new Date(iso));

function messageStatements(write: MessageWrite): { statements: Statement[]; bytes: number } {
  const { message: m } = write;
  const key = [m.conversationId, bucketOf(m.seq), BigInt(m.seq), BigInt(m.messageId)];
  const columns = m.deletedAt === null ? textColumns(write) : null;
  const params = [
    ...key,
    BigInt(m.rev),
    m.senderId,
    columns?.content,
    m.contentType,
    m.clientMsgId,
    new Date(m.timestamp),
    columns?.media,
    m.replyToMessageId === null ? undefined : BigInt(m.replyToMessageId),
    time(m.editedAt),
    columns?.reactions,
    columns?.text_bytes,
    columns?.long_text,
    BigInt(m.rev),
  ];
  const statements = [{ query: INSERT_MESSAGE, params }];
  if (m.deletedAt !== null) statements.push({ query: ERASE_MESSAGE, params: [new Date(m.deletedAt), ...key] });
  return { statements, bytes: columns?.text_bytes ?? 0 };
}

function placeStatement({ message: m }: MessageWrite): Statement {
  const params = [BigInt(m.messageId), m.conversationId, BigInt(m.seq), BigInt(m.seq)];
  return { query: INSERT_PLACE, params };
}

function bucketStatement({ message: m }: MessageWrite): Statement {
  const params = [m.conversationId, bucketOf(m.seq), BigInt(m.seq), BigInt(m.messageId), BigInt(m.seq)];
  return { query: INSERT_BUCKET, params };
}

function changeStatement({ message: m }: MessageWrite): Statement {
  const params = [
    m.conversationId,
    changeBucketOf(m.rev),
    BigInt(m.rev),
    BigInt(m.seq),
    BigInt(m.messageId),
    BigInt(m.rev),
  ];
  return { query: INSERT_CHANGE, params };
}

function changeBucketStatement({ message: m }: MessageWrite): Statement {
  return { query: INSERT_CHANGE_BUCKET, params: [m.conversationId, changeBucketOf(m.rev), BigInt(m.rev)] };
}

// In microseconds of record time, which compaction by time windows needs; two sends under one key are 30 days apart.
function sentKeyWrite(send: SendRow): PartitionWrite {
  const params = [
    send.conversationId,
    send.senderId,
    send.clientMsgId,
    BigInt(send.messageId),
    BigInt(send.seq),
    BigInt(send.rev),
    new Date(send.at),
    send.requestHash,
    BigInt(send.at) * 1_000n,
  ];
  const routingKey = compositeKey(
    uuidBytes(send.conversationId),
    uuidBytes(send.senderId),
    Buffer.from(send.clientMsgId),
  );
  return { statements: [{ query: INSERT_SENT_KEY, params }], routingKey, bytes: send.requestHash.length };
}
