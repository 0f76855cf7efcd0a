import { SHORT_COLUMNS } from './message-rows.js';

export const PAGE_NEWEST_FIRST = `
  SELECT ${SHORT_COLUMNS} FROM message
  WHERE conversation_id = ? AND bucket = ? AND seq >= ? AND seq <= ? LIMIT ?`;

export const PAGE_OLDEST_FIRST = `
  SELECT ${SHORT_COLUMNS} FROM message
  WHERE conversation_id = ? AND bucket = ? AND seq >= ? AND seq <= ? ORDER BY seq ASC, message_id ASC LIMIT ?`;

export const LAST_BUCKET_BEFORE = 'SELECT bucket FROM message_bucket WHERE conversation_id = ? AND bucket < ? LIMIT 1';

/** Of one partition. A request for each row cost Cassandra several times as much: docs/benchmarks.md. */
export const MESSAGES_SHORT = `SELECT ${SHORT_COLUMNS} FROM message WHERE conversation_id = ? AND bucket = ? AND seq IN ?`;

export const MESSAGE_WHOLE = `
  SELECT ${SHORT_COLUMNS}, long_text FROM message
  WHERE conversation_id = ? AND bucket = ? AND seq = ? AND message_id = ?`;

export const MESSAGE_PLACE = 'SELECT conversation_id, seq FROM message_place WHERE message_id = ?';

export const CHANGE_BUCKETS = `
  SELECT bucket FROM message_change_bucket WHERE conversation_id = ? AND bucket >= ? LIMIT ?`;

export const CHANGES_AFTER = `
  SELECT rev, seq, message_id FROM message_change WHERE conversation_id = ? AND bucket = ? AND rev > ? LIMIT ?`;

export const SENT_KEY = `
  SELECT message_id, seq, rev, sent_at, request_hash FROM sent_key
  WHERE conversation_id = ? AND sender_id = ? AND client_msg_id = ?`;
