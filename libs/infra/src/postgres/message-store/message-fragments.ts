import type { MessageWrite, SendRow } from '@parley/domain';
import { bool, int8, text, timestamptz, uuid } from '../sql/column.js';
import type { Fragment } from '../sql/fragment.js';

const time = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));
const json = (list: readonly unknown[]): string | null => (list.length === 0 ? null : JSON.stringify(list));

/** Whole messages; a row with a greater or equal rev stays as it is. */
export const MESSAGES: Fragment<MessageWrite> = {
  name: 'messages',
  columns: [
    uuid('conversation_id', ({ message: m }) => m.conversationId),
    int8('seq', ({ message: m }) => m.seq),
    int8('message_id', ({ message: m }) => m.messageId),
    int8('rev', ({ message: m }) => m.rev),
    uuid('sender_id', ({ message: m }) => m.senderId),
    text('content', ({ message: m }) => m.content),
    text('content_type', ({ message: m }) => m.contentType),
    text('client_msg_id', ({ message: m }) => m.clientMsgId),
    timestamptz('sent_at', ({ message: m }) => Date.parse(m.timestamp)),
    text('media', ({ message: m }) => json(m.media)),
    int8('reply_to_message_id', ({ message: m }) => m.replyToMessageId),
    timestamptz('edited_at', ({ message: m }) => time(m.editedAt)),
    timestamptz('deleted_at', ({ message: m }) => time(m.deletedAt)),
    text('reactions', ({ message: m }) => json(m.reactions)),
    bool('changed', isChanged),
  ],
  sql: (rows) => `
    INSERT INTO message (conversation_id, seq, message_id, rev, sender_id, content, content_type, client_msg_id,
      sent_at, media, reply_to_message_id, edited_at, deleted_at, reactions, changed)
    SELECT * FROM ${rows}
    ON CONFLICT (conversation_id, seq) DO UPDATE SET
      rev = excluded.rev, content = excluded.content, media = excluded.media, edited_at = excluded.edited_at,
      deleted_at = excluded.deleted_at, reactions = excluded.reactions, changed = true
    WHERE message.rev < excluded.rev`,
};

/** A message that was changed in the very batch that made it counts as changed: a client may have seen neither. */
function isChanged({ message, send }: MessageWrite): boolean {
  return send === null || message.rev !== send.rev;
}

/**
 * Keys of new sends. A key that another message holds is left alone and not returned, unless it has run out: the count
 * of returned rows tells the caller that there was a duplicate.
 */
export const SENT_KEYS: Fragment<SendRow> = {
  name: 'sent_keys',
  columns: [
    uuid('conversation_id', (s) => s.conversationId),
    uuid('sender_id', (s) => s.senderId),
    text('client_msg_id', (s) => s.clientMsgId),
    int8('message_id', (s) => s.messageId),
    int8('seq', (s) => s.seq),
    int8('rev', (s) => s.rev),
    timestamptz('sent_at', (s) => s.at),
    text('request_hash', (s) => s.requestHash),
  ],
  sql: (rows) => `
    INSERT INTO sent_key (conversation_id, sender_id, client_msg_id, message_id, seq, rev, sent_at, request_hash)
    SELECT * FROM ${rows}
    ON CONFLICT (conversation_id, sender_id, client_msg_id) DO UPDATE SET
      message_id = excluded.message_id, seq = excluded.seq, rev = excluded.rev, sent_at = excluded.sent_at,
      request_hash = excluded.request_hash
    WHERE sent_key.sent_at <= excluded.sent_at - interval '30 days' OR sent_key.message_id = excluded.message_id
    RETURNING 1`,
};
