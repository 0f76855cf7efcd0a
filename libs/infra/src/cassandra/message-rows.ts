import type { ContentType, Media, Message, Reaction } from '@parley/contracts';
import { type MessageWrite, textBytes } from '@parley/domain';
import type { types } from 'cassandra-driver';

/**
 * Content, media and reactions above this lie in a column of their own, which pages do not read: so a page knows the
 * sizes of its messages before large ones are brought here, in one round trip where none is large.
 */
export const SHORT_TEXT_BYTES_MAX = 4_096;

/** What makes a message large. */
type Text = Pick<Message, 'content' | 'media' | 'reactions'>;

/** Columns of a message without its long text. */
export const SHORT_COLUMNS = `seq, message_id, rev, sender_id, content, content_type, client_msg_id, sent_at, media,
  reply_to_message_id, edited_at, deleted_at, reactions, text_bytes`;

export interface MessageRow extends types.Row {
  seq: bigint;
  message_id: bigint;
  rev: bigint;
  sender_id: types.Uuid;
  content: string | null;
  content_type: ContentType;
  client_msg_id: string;
  sent_at: Date;
  media: string | null;
  reply_to_message_id: bigint | null;
  edited_at: Date | null;
  deleted_at: Date | null;
  reactions: string | null;
  text_bytes: number | null;
  /** Only where it was asked for. */
  long_text?: string | null;
}

/** What the text of a row's message adds up to. */
export function rowTextBytes({ deleted_at, text_bytes }: MessageRow): number {
  return deleted_at === null ? (text_bytes ?? 0) : 0;
}

export function hasLongText(row: MessageRow): boolean {
  return rowTextBytes(row) > SHORT_TEXT_BYTES_MAX;
}

/** @param row with its long text, if it has one */
export function messageOf(conversationId: string, row: MessageRow): Message {
  const { content, media, reactions } = textOf(row);
  return {
    messageId: row.message_id.toString(),
    seq: Number(row.seq),
    rev: Number(row.rev),
    conversationId,
    senderId: row.sender_id.toString(),
    content,
    contentType: row.content_type,
    clientMsgId: row.client_msg_id,
    timestamp: row.sent_at.toISOString(),
    media,
    replyToMessageId: row.reply_to_message_id?.toString() ?? null,
    editedAt: row.edited_at?.toISOString() ?? null,
    deletedAt: row.deleted_at?.toISOString() ?? null,
    reactions,
  };
}

// A deleted message has no text, whatever its columns say: a late writer's may still be on their way to being emptied.
function textOf(row: MessageRow): Text {
  if (row.deleted_at !== null) return { content: '', media: [], reactions: [] };
  if (hasLongText(row) && row.long_text) return JSON.parse(row.long_text) as Text;
  return {
    content: row.content ?? '',
    media: row.media ? (JSON.parse(row.media) as Media[]) : [],
    reactions: row.reactions ? (JSON.parse(row.reactions) as Reaction[]) : [],
  };
}

/** A message that was changed in the very batch that made it counts as changed: a client may have seen neither. */
export function isChanged({ message, send }: MessageWrite): boolean {
  return send === null || message.rev !== send.rev;
}

/**
 * The text columns of a write; undefined leaves a column as it is. What is empty is written only over what may be
 * there already, and then as an empty text: a null would be a tombstone for each message that has no media.
 */
export function textColumns(write: MessageWrite): {
  content: string | undefined;
  media: string | undefined;
  reactions: string | undefined;
  long_text: string | undefined;
  text_bytes: number;
} {
  const { content, media, reactions } = write.message;
  const empty = isChanged(write) ? '' : undefined;
  const list = (items: readonly unknown[]): string | undefined => (items.length > 0 ? JSON.stringify(items) : empty);
  const bytes = textBytes(write.message);
  if (bytes > SHORT_TEXT_BYTES_MAX) {
    const long = JSON.stringify({ content, media, reactions });
    return { content: empty, media: empty, reactions: empty, long_text: long, text_bytes: bytes };
  }
  return { content, media: list(media), reactions: list(reactions), long_text: empty, text_bytes: bytes };
}
