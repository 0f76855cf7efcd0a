import type {
  ConversationState,
  DeadLetter,
  JournalRow,
  MemberRow,
  PartitionAdvance,
  ReceiptAdvance,
} from '@parley/domain';
import { boolArray, int2Array, int4Array, int8Array, textArray, timeArray, uuidArray } from '../sql/binary-array.js';
import type { Fragment } from '../sql/fragment.js';

/** Moves the partitions that still are where their owner left them; the count of returned rows is the fence. */
export function progressFragment(advances: readonly PartitionAdvance[]): Fragment {
  return {
    name: 'advanced',
    rows: advances.length,
    columns: [
      { name: 'partition', type: 'int2[]', value: int2Array(advances.map((a) => a.partition)) },
      { name: 'epoch', type: 'int8[]', value: int8Array(advances.map((a) => a.epoch)) },
      { name: 'expected_offset', type: 'int8[]', value: int8Array(advances.map((a) => a.expectedOffset)) },
      { name: 'next_offset', type: 'int8[]', value: int8Array(advances.map((a) => a.nextOffset)) },
      { name: 'clock_ms', type: 'int8[]', value: int8Array(advances.map((a) => a.clock.ms)) },
      { name: 'clock_counter', type: 'int2[]', value: int2Array(advances.map((a) => a.clock.counter)) },
      { name: 'last_record_hash', type: 'text[]', value: textArray(advances.map((a) => a.lastRecordHash)) },
    ],
    sql: (rows) => `
      UPDATE partition_progress p SET next_offset = u.next_offset, clock_ms = u.clock_ms,
        clock_counter = u.clock_counter, last_record_hash = u.last_record_hash
      FROM ${rows}
      WHERE p.partition = u.partition AND p.epoch = u.epoch AND p.next_offset = u.expected_offset
      RETURNING 1`,
  };
}

export function journalFragment(rows: readonly JournalRow[]): Fragment {
  return {
    name: 'journaled',
    rows: rows.length,
    columns: [
      { name: 'partition', type: 'int2[]', value: int2Array(rows.map((r) => r.partition)) },
      { name: '"offset"', type: 'int8[]', value: int8Array(rows.map((r) => r.offset)) },
      { name: 'recorded_at', type: 'timestamptz[]', value: timeArray(rows.map((r) => r.at)) },
      { name: 'payload', type: 'text[]', value: textArray(rows.map((r) => r.payload)) },
    ],
    // An offset that is taken means another owner: the fence in the same statement says so.
    sql: (from) => `
      INSERT INTO command_log (partition, "offset", recorded_at, payload) SELECT * FROM ${from}
      ON CONFLICT DO NOTHING`,
  };
}

export function conversationsFragment(states: readonly ConversationState[]): Fragment {
  const last = states.map((state) => state.lastMessage);
  return {
    name: 'conversations',
    rows: states.length,
    columns: [
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(states.map((s) => s.conversationId)) },
      { name: 'type', type: 'text[]', value: textArray(states.map((s) => s.type)) },
      { name: 'name', type: 'text[]', value: textArray(states.map((s) => s.name)) },
      { name: 'created_at', type: 'timestamptz[]', value: timeArray(states.map((s) => s.createdAt)) },
      { name: 'created_by', type: 'uuid[]', value: uuidArray(states.map((s) => s.createdBy)) },
      { name: 'last_seq', type: 'int8[]', value: int8Array(states.map((s) => s.lastSeq)) },
      { name: 'last_rev', type: 'int8[]', value: int8Array(states.map((s) => s.lastRev)) },
      { name: 'membership_epoch', type: 'int8[]', value: int8Array(states.map((s) => s.membershipEpoch)) },
      { name: 'member_count', type: 'int4[]', value: int4Array(states.map((s) => s.members.size)) },
      { name: 'last_activity_at', type: 'timestamptz[]', value: timeArray(states.map((s) => s.lastActivityAt)) },
      { name: 'last_message_id', type: 'int8[]', value: int8Array(last.map((m) => m?.messageId ?? null)) },
      { name: 'last_sender_id', type: 'uuid[]', value: uuidArray(last.map((m) => m?.senderId ?? null)) },
      { name: 'last_preview', type: 'text[]', value: textArray(last.map((m) => m?.preview ?? null)) },
      { name: 'last_content_type', type: 'text[]', value: textArray(last.map((m) => m?.contentType ?? null)) },
      { name: 'last_message_at', type: 'timestamptz[]', value: timeArray(last.map((m) => m?.at ?? null)) },
      { name: 'last_message_deleted', type: 'bool[]', value: boolArray(last.map((m) => m?.deleted ?? null)) },
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
}

export function membersFragment(rows: readonly MemberRow[]): Fragment {
  const members = rows.map((row) => row.member);
  return {
    name: 'members',
    rows: rows.length,
    columns: [
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(rows.map((r) => r.conversationId)) },
      { name: 'user_id', type: 'uuid[]', value: uuidArray(members.map((m) => m.userId)) },
      { name: 'role', type: 'text[]', value: textArray(members.map((m) => m.role)) },
      { name: 'joined_at', type: 'timestamptz[]', value: timeArray(members.map((m) => m.joinedAt)) },
      { name: 'visible_from_seq', type: 'int8[]', value: int8Array(members.map((m) => m.visibleFromSeq)) },
      { name: 'read_seq', type: 'int8[]', value: int8Array(members.map((m) => m.readSeq)) },
      { name: 'read_message_id', type: 'int8[]', value: int8Array(members.map((m) => m.readMessageId)) },
      { name: 'delivered_seq', type: 'int8[]', value: int8Array(members.map((m) => m.deliveredSeq)) },
      { name: 'delivered_message_id', type: 'int8[]', value: int8Array(members.map((m) => m.deliveredMessageId)) },
      { name: 'muted_until', type: 'timestamptz[]', value: timeArray(members.map((m) => m.mutedUntil)) },
      { name: 'pinned', type: 'bool[]', value: boolArray(members.map((m) => m.pinned)) },
      { name: 'archived', type: 'bool[]', value: boolArray(members.map((m) => m.archived)) },
      { name: 'removed_at', type: 'timestamptz[]', value: timeArray(rows.map((r) => r.removedAt)) },
    ],
    sql: (from) => `
      INSERT INTO conversation_member (conversation_id, user_id, role, joined_at, visible_from_seq, read_seq,
        read_message_id, delivered_seq, delivered_message_id, muted_until, pinned, archived, removed_at)
      SELECT * FROM ${from}
      ON CONFLICT (conversation_id, user_id) DO UPDATE SET
        role = excluded.role, joined_at = excluded.joined_at, visible_from_seq = excluded.visible_from_seq,
        read_seq = excluded.read_seq, read_message_id = excluded.read_message_id,
        delivered_seq = excluded.delivered_seq, delivered_message_id = excluded.delivered_message_id,
        muted_until = excluded.muted_until, pinned = excluded.pinned, archived = excluded.archived,
        removed_at = excluded.removed_at, changed_xid = pg_current_xact_id()`,
  };
}

const arrayText = (values: readonly (string | number)[]): string => `{${values.join(',')}}`;

export function receiptsFragment(rows: readonly ReceiptAdvance[]): Fragment {
  return {
    name: 'receipts',
    rows: rows.length,
    columns: [
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(rows.map((r) => r.conversationId)) },
      { name: 'at', type: 'timestamptz[]', value: timeArray(rows.map((r) => r.at)) },
      { name: 'user_ids', type: 'text[]', value: textArray(rows.map((r) => arrayText(r.marks.map((m) => m.userId)))) },
      {
        name: 'delivered_seqs',
        type: 'text[]',
        value: textArray(rows.map((r) => arrayText(r.marks.map((m) => m.delivered?.seq ?? 0)))),
      },
      {
        name: 'read_seqs',
        type: 'text[]',
        value: textArray(rows.map((r) => arrayText(r.marks.map((m) => m.read?.seq ?? 0)))),
      },
    ],
    sql: (from) => `
      INSERT INTO receipt_advance (conversation_id, at, user_ids, delivered_seqs, read_seqs)
      SELECT u.conversation_id, u.at, u.user_ids::uuid[], u.delivered_seqs::bigint[], u.read_seqs::bigint[]
      FROM ${from}`,
  };
}

export function deadLettersFragment(rows: readonly DeadLetter[]): Fragment {
  return {
    name: 'dead_letters',
    rows: rows.length,
    columns: [
      { name: 'partition', type: 'int2[]', value: int2Array(rows.map((r) => r.partition)) },
      { name: '"offset"', type: 'int8[]', value: int8Array(rows.map((r) => r.offset)) },
      { name: 'recorded_at', type: 'timestamptz[]', value: timeArray(rows.map((r) => r.at)) },
      { name: 'payload', type: 'text[]', value: textArray(rows.map((r) => r.payload)) },
      { name: 'reason', type: 'text[]', value: textArray(rows.map((r) => r.reason)) },
    ],
    sql: (from) => `
      INSERT INTO dead_letter (partition, "offset", recorded_at, payload, reason) SELECT * FROM ${from}
      ON CONFLICT DO NOTHING`,
  };
}
