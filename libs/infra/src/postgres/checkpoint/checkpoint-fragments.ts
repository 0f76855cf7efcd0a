import type {
  CheckpointWrite,
  ConversationState,
  DeadLetter,
  JournalRow,
  MediaUse,
  MemberRow,
  PartitionAdvance,
  ReceiptAdvance,
} from '@parley/domain';
import { bool, int2, int4, int8, text, timestamptz, uuid } from '../sql/column.js';
import { type Fragment, type Part, partOf } from '../sql/fragment.js';

/** Moves the partitions that still are where their owner left them; the count of returned rows is the fence. */
export const ADVANCED: Fragment<PartitionAdvance> = {
  name: 'advanced',
  columns: [
    int2('partition', (a) => a.partition),
    int8('epoch', (a) => a.epoch),
    int8('expected_offset', (a) => a.expectedOffset),
    int8('next_offset', (a) => a.nextOffset),
    int8('clock_ms', (a) => a.clock.ms),
    int2('clock_counter', (a) => a.clock.counter),
    text('last_record_hash', (a) => a.lastRecordHash),
  ],
  sql: (rows) => `
    UPDATE partition_progress p SET next_offset = u.next_offset, clock_ms = u.clock_ms,
      clock_counter = u.clock_counter, last_record_hash = u.last_record_hash
    FROM ${rows}
    WHERE p.partition = u.partition AND p.epoch = u.epoch AND p.next_offset = u.expected_offset
    RETURNING 1`,
};

export const JOURNALED: Fragment<JournalRow> = {
  name: 'journaled',
  columns: [
    int2('partition', (r) => r.partition),
    int8('"offset"', (r) => r.offset),
    timestamptz('recorded_at', (r) => r.at),
    text('payload', (r) => r.payload),
  ],
  // An offset that is taken means another owner: the fence in the same statement says so.
  sql: (from) => `
    INSERT INTO command_log (partition, "offset", recorded_at, payload) SELECT * FROM ${from}
    ON CONFLICT DO NOTHING`,
};

export const CONVERSATIONS: Fragment<ConversationState> = {
  name: 'conversations',
  columns: [
    uuid('conversation_id', (s) => s.conversationId),
    text('type', (s) => s.type),
    text('name', (s) => s.name),
    timestamptz('created_at', (s) => s.createdAt),
    uuid('created_by', (s) => s.createdBy),
    int8('last_seq', (s) => s.lastSeq),
    int8('last_rev', (s) => s.lastRev),
    int8('membership_epoch', (s) => s.membershipEpoch),
    int4('member_count', (s) => s.members.size),
    timestamptz('last_activity_at', (s) => s.lastActivityAt),
    int8('last_message_id', ({ lastMessage: m }) => m?.messageId ?? null),
    uuid('last_sender_id', ({ lastMessage: m }) => m?.senderId ?? null),
    text('last_preview', ({ lastMessage: m }) => m?.preview ?? null),
    text('last_content_type', ({ lastMessage: m }) => m?.contentType ?? null),
    timestamptz('last_message_at', ({ lastMessage: m }) => m?.at ?? null),
    bool('last_message_deleted', ({ lastMessage: m }) => m?.deleted ?? null),
  ],
  sql: (rows) => `
    INSERT INTO conversation (conversation_id, type, name, created_at, created_by, last_seq, last_rev,
      membership_epoch, member_count, last_activity_at, last_message_id, last_sender_id, last_preview,
      last_content_type, last_message_at, last_message_deleted)
    SELECT * FROM ${rows}
    ON CONFLICT (conversation_id) DO UPDATE SET
      name = excluded.name, last_seq = excluded.last_seq, last_rev = excluded.last_rev,
      membership_epoch = excluded.membership_epoch, member_count = excluded.member_count,
      last_activity_at = excluded.last_activity_at, last_message_id = excluded.last_message_id,
      last_sender_id = excluded.last_sender_id, last_preview = excluded.last_preview,
      last_content_type = excluded.last_content_type, last_message_at = excluded.last_message_at,
      last_message_deleted = excluded.last_message_deleted, changed_xid = pg_current_xact_id()`,
};

export const MEMBERS: Fragment<MemberRow> = {
  name: 'members',
  columns: [
    uuid('conversation_id', (r) => r.conversationId),
    uuid('user_id', ({ member: m }) => m.userId),
    text('role', ({ member: m }) => m.role),
    timestamptz('joined_at', ({ member: m }) => m.joinedAt),
    int8('visible_from_seq', ({ member: m }) => m.visibleFromSeq),
    int8('read_seq', ({ member: m }) => m.readSeq),
    int8('read_message_id', ({ member: m }) => m.readMessageId),
    int8('delivered_seq', ({ member: m }) => m.deliveredSeq),
    int8('delivered_message_id', ({ member: m }) => m.deliveredMessageId),
    timestamptz('muted_until', ({ member: m }) => m.mutedUntil),
    bool('pinned', ({ member: m }) => m.pinned),
    bool('archived', ({ member: m }) => m.archived),
    timestamptz('removed_at', (r) => r.removedAt),
    int8('joined_epoch', ({ member: m }) => m.joinedEpoch),
  ],
  sql: (from) => `
    INSERT INTO conversation_member (conversation_id, user_id, role, joined_at, visible_from_seq, read_seq,
      read_message_id, delivered_seq, delivered_message_id, muted_until, pinned, archived, removed_at,
      joined_epoch)
    SELECT * FROM ${from}
    ON CONFLICT (conversation_id, user_id) DO UPDATE SET
      role = excluded.role, joined_at = excluded.joined_at, visible_from_seq = excluded.visible_from_seq,
      read_seq = excluded.read_seq, read_message_id = excluded.read_message_id,
      delivered_seq = excluded.delivered_seq, delivered_message_id = excluded.delivered_message_id,
      muted_until = excluded.muted_until, pinned = excluded.pinned, archived = excluded.archived,
      removed_at = excluded.removed_at, joined_epoch = excluded.joined_epoch, changed_xid = pg_current_xact_id()`,
};

const arrayText = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;

export const RECEIPTS: Fragment<ReceiptAdvance> = {
  name: 'receipts',
  columns: [
    uuid('conversation_id', (r) => r.conversationId),
    timestamptz('at', (r) => r.at),
    text('user_ids', (r) => arrayText(r.marks.map((m) => m.userId))),
    text('delivered_seqs', (r) => arrayText(r.marks.map((m) => m.delivered?.seq ?? 0))),
    text('read_seqs', (r) => arrayText(r.marks.map((m) => m.read?.seq ?? 0))),
  ],
  sql: (from) => `
    INSERT INTO receipt_advance (conversation_id, at, user_ids, delivered_seqs, read_seqs)
    SELECT u.conversation_id, u.at, u.user_ids::uuid[], u.delivered_seqs::bigint[], u.read_seqs::bigint[]
    FROM ${from}`,
};

export const DEAD_LETTERS: Fragment<DeadLetter> = {
  name: 'dead_letters',
  columns: [
    int2('partition', (r) => r.partition),
    int8('"offset"', (r) => r.offset),
    timestamptz('recorded_at', (r) => r.at),
    text('payload', (r) => r.payload),
    text('reason', (r) => r.reason),
  ],
  sql: (from) => `
    INSERT INTO dead_letter (partition, "offset", recorded_at, payload, reason) SELECT * FROM ${from}
    ON CONFLICT DO NOTHING`,
};

export const MEDIA_USES: Fragment<MediaUse> = {
  name: 'media_uses',
  columns: [
    uuid('conversation_id', (u) => u.conversationId),
    int8('message_id', (u) => u.messageId),
    int8('seq', (u) => u.seq),
    uuid('media_id', (u) => u.mediaId),
    timestamptz('removed_at', (u) => u.removedAt),
  ],
  sql: (from) => `
    INSERT INTO media_use (conversation_id, message_id, seq, media_id, removed_at) SELECT * FROM ${from}
    ON CONFLICT (conversation_id, message_id, media_id) DO UPDATE SET removed_at = excluded.removed_at`,
};

/** Progress first: every other part belongs to it. */
export function checkpointParts(write: CheckpointWrite): Part[] {
  return [
    partOf(ADVANCED, write.partitions),
    partOf(CONVERSATIONS, write.conversations),
    partOf(MEMBERS, write.members),
    partOf(RECEIPTS, write.receipts),
    partOf(DEAD_LETTERS, write.deadLetters),
    partOf(MEDIA_USES, write.mediaUses ?? []),
  ];
}
