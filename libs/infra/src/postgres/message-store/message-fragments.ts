import type { MessageWrite, SendRow } from '@parley/domain';
import { boolArray, int8Array, textArray, timeArray, uuidArray } from '../sql/binary-array.js';
import type { Fragment } from '../sql/fragment.js';

const time = (iso: string | null): number | null => (iso === null ? null : Date.parse(iso));
const json = (list: readonly unknown[]): string | null => (list.length === 0 ? null : JSON.stringify(list));

/** Whole messages; a row with a greater or equal rev stays as it is. */
export function messagesFragment(writes: readonly MessageWrite[]): Fragment {
  const messages = writes.map((write) => write.message);
  return {
    name: 'messages',
    rows: writes.length,
    columns: [
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(messages.map((m) => m.conversationId)) },
      { name: 'seq', type: 'int8[]', value: int8Array(messages.map((m) => m.seq)) },
      { name: 'message_id', type: 'int8[]', value: int8Array(messages.map((m) => m.messageId)) },
      { name: 'rev', type: 'int8[]', value: int8Array(messages.map((m) => m.rev)) },
      { name: 'sender_id', type: 'uuid[]', value: uuidArray(messages.map((m) => m.senderId)) },
      { name: 'content', type: 'text[]', value: textArray(messages.map((m) => m.content)) },
      { name: 'content_type', type: 'text[]', value: textArray(messages.map((m) => m.contentType)) },
      { name: 'client_msg_id', type: 'text[]', value: textArray(messages.map((m) => m.clientMsgId)) },
      { name: 'sent_at', type: 'timestamptz[]', value: timeArray(messages.map((m) => Date.parse(m.timestamp))) },
      { name: 'media', type: 'text[]', value: textArray(messages.map((m) => json(m.media))) },
      { name: 'reply_to_message_id', type: 'int8[]', value: int8Array(messages.map((m) => m.replyToMessageId)) },
      { name: 'edited_at', type: 'timestamptz[]', value: timeArray(messages.map((m) => time(m.editedAt))) },
      { name: 'deleted_at', type: 'timestamptz[]', value: timeArray(messages.map((m) => time(m.deletedAt))) },
      { name: 'reactions', type: 'text[]', value: textArray(messages.map((m) => json(m.reactions))) },
      { name: 'changed', type: 'bool[]', value: boolArray(writes.map((write) => isChanged(write))) },
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
}

/** A message that was changed in the very batch that made it counts as changed: a client may have seen neither. */
function isChanged({ message, send }: MessageWrite): boolean {
  return send === null || message.rev !== send.rev;
}

/**
 * Keys of new sends. A key that another message holds is left alone and not returned, unless it has run out: the count
 * of returned rows tells the caller that there was a duplicate.
 */
export function sentKeysFragment(sends: readonly SendRow[]): Fragment {
  return {
    name: 'sent_keys',
    rows: sends.length,
    columns: [
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(sends.map((s) => s.conversationId)) },
      { name: 'sender_id', type: 'uuid[]', value: uuidArray(sends.map((s) => s.senderId)) },
      { name: 'client_msg_id', type: 'text[]', value: textArray(sends.map((s) => s.clientMsgId)) },
      { name: 'message_id', type: 'int8[]', value: int8Array(sends.map((s) => s.messageId)) },
      { name: 'seq', type: 'int8[]', value: int8Array(sends.map((s) => s.seq)) },
      { name: 'rev', type: 'int8[]', value: int8Array(sends.map((s) => s.rev)) },
      { name: 'sent_at', type: 'timestamptz[]', value: timeArray(sends.map((s) => s.at)) },
      { name: 'request_hash', type: 'text[]', value: textArray(sends.map((s) => s.requestHash)) },
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
}
