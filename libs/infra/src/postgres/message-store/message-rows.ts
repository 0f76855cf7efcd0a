import type { ContentType, Media, Message, Reaction } from '@parley/contracts';

/** Columns of a message, in the order of `MESSAGE_COLUMNS`; read in array mode, which saves a tenth of the time. */
export type MessageRow = [
  messageId: string,
  seq: string,
  rev: string,
  senderId: string,
  content: string,
  contentType: ContentType,
  clientMsgId: string,
  sentAt: Date,
  media: string | null,
  replyToMessageId: string | null,
  editedAt: Date | null,
  deletedAt: Date | null,
  reactions: string | null,
];

export const MESSAGE_COLUMNS = `message_id, seq, rev, sender_id, content, content_type, client_msg_id, sent_at, media,
  reply_to_message_id, edited_at, deleted_at, reactions`;

const CONTENT = 4;

/** Whether the row has its content; where it was left out for its size, media and reactions were too. */
export function isWhole(row: readonly unknown[]): row is MessageRow {
  return row[CONTENT] !== null;
}

export function messageOf(conversationId: string, row: MessageRow): Message {
  const [messageId, seq, rev, senderId, content, contentType, clientMsgId, sentAt] = row;
  const [, , , , , , , , media, replyToMessageId, editedAt, deletedAt, reactions] = row;
  return {
    messageId,
    seq: Number(seq),
    rev: Number(rev),
    conversationId,
    senderId,
    content,
    contentType,
    clientMsgId,
    timestamp: sentAt.toISOString(),
    media: media === null ? [] : (JSON.parse(media) as Media[]),
    replyToMessageId,
    editedAt: editedAt?.toISOString() ?? null,
    deletedAt: deletedAt?.toISOString() ?? null,
    reactions: reactions === null ? [] : (JSON.parse(reactions) as Reaction[]),
  };
}
