import {
  CONVERSATION_MEMBERS_SHOWN_MAX,
  type ContentType,
  type Conversation,
  type ConversationType,
  type LastMessage,
  type Member,
  type Role,
} from '@parley/contracts';

/** A conversation's own columns, from `conversation c`. */
export const CONVERSATION_COLUMNS = `c.conversation_id, c.type, c.name, c.created_at, c.created_by, c.last_seq,
  c.last_rev, c.member_count, c.last_activity_at, c.last_message_id, c.last_sender_id, c.last_preview,
  c.last_content_type, c.last_message_at`;

/** The viewer's own columns, from `conversation_member me`. */
export const VIEWER_COLUMNS = `me.user_id AS viewer_id, me.role, me.visible_from_seq, me.read_seq, me.read_message_id,
  me.muted_until, me.pinned, me.archived`;

/** A member's columns as they are needed by `toMember`, from `conversation_member m` and `users u`. */
export const MEMBER_COLUMNS = `m.user_id, u.display_name, m.role, m.joined_at, m.visible_from_seq, m.read_seq,
  m.read_message_id, m.delivered_seq, m.delivered_message_id`;

/**
 * The first members of `v.conversation_id`, folded into parallel arrays: one row for a conversation, and no snapshot but
 * the statement's own. OFFSET 0 keeps each look-up by key, whatever the planner believes of fresh tables.
 */
export const SHOWN_MEMBERS = `
  SELECT array_agg(f.user_id::text) AS user_ids, array_agg(f.display_name) AS display_names,
    array_agg(f.role) AS roles, array_agg(f.joined_at) AS joined_ats,
    array_agg(f.visible_from_seq::float8) AS visible_from_seqs,
    array_agg(f.read_seq::float8) AS read_seqs, array_agg(f.read_message_id::text) AS read_message_ids,
    array_agg(f.delivered_seq::float8) AS delivered_seqs,
    array_agg(f.delivered_message_id::text) AS delivered_message_ids
  FROM (SELECT m.*, u.display_name
        FROM (SELECT o.* FROM conversation_member o
              WHERE o.conversation_id = v.conversation_id AND o.removed_at IS NULL
              ORDER BY o.joined_at, o.user_id LIMIT ${CONVERSATION_MEMBERS_SHOWN_MAX}) m
        LEFT JOIN LATERAL (SELECT n.display_name FROM users n WHERE n.user_id = m.user_id OFFSET 0) u ON true) f`;

/** The view of `p.user_id` on `p.conversation_id`; no row when that user does not belong to it. */
export const VIEW = `
  SELECT ${CONVERSATION_COLUMNS}, ${VIEWER_COLUMNS}
  FROM conversation_member me
  JOIN conversation c ON c.conversation_id = me.conversation_id
  WHERE me.conversation_id = p.conversation_id AND me.user_id = p.user_id AND me.removed_at IS NULL
  OFFSET 0`;

export interface MemberColumns {
  user_id: string;
  display_name: string | null;
  role: Role;
  joined_at: Date;
  visible_from_seq: number;
  read_seq: number;
  read_message_id: string | null;
  delivered_seq: number;
  delivered_message_id: string | null;
}

/** The arrays of `SHOWN_MEMBERS`. */
export interface ShownMembersRow {
  user_ids: string[] | null;
  display_names: (string | null)[];
  roles: Role[];
  joined_ats: Date[];
  visible_from_seqs: number[];
  read_seqs: number[];
  read_message_ids: (string | null)[];
  delivered_seqs: number[];
  delivered_message_ids: (string | null)[];
}

/** bigint comes as text; seqs and revs stay far below 2^53. */
export interface ViewRow {
  conversation_id: string;
  type: ConversationType;
  name: string | null;
  created_at: Date;
  created_by: string;
  last_seq: string;
  last_rev: string;
  member_count: number;
  last_activity_at: Date;
  last_message_id: string | null;
  last_sender_id: string;
  last_preview: string;
  last_content_type: ContentType;
  last_message_at: Date;
  viewer_id: string;
  role: Role;
  visible_from_seq: string;
  read_seq: string;
  read_message_id: string | null;
  muted_until: Date | null;
  pinned: boolean;
  archived: boolean;
}

/** In the order in which they joined. */
export function shownMembers(row: ShownMembersRow): MemberColumns[] {
  const members = (row.user_ids ?? []).map((userId, i) => ({
    user_id: userId,
    display_name: row.display_names[i] ?? null,
    role: row.roles[i] as Role,
    joined_at: row.joined_ats[i] as Date,
    visible_from_seq: row.visible_from_seqs[i] as number,
    read_seq: row.read_seqs[i] as number,
    read_message_id: row.read_message_ids[i] ?? null,
    delivered_seq: row.delivered_seqs[i] as number,
    delivered_message_id: row.delivered_message_ids[i] ?? null,
  }));
  // An aggregate promises no order.
  return members.sort((a, b) => a.joined_at.getTime() - b.joined_at.getTime() || (a.user_id < b.user_id ? -1 : 1));
}

/**
 * A member as somebody sees it who sees messages from `viewerFromSeq` on. A mark that is below that, or below what the
 * member itself sees (where its marks begin), is null.
 */
export function toMember(row: MemberColumns, viewerFromSeq: number): Member {
  const fromSeq = Math.max(viewerFromSeq, row.visible_from_seq);
  return {
    userId: row.user_id,
    displayName: row.display_name ?? '',
    role: row.role,
    joinedAt: row.joined_at.toISOString(),
    lastReadMessageId: row.read_seq >= fromSeq ? row.read_message_id : null,
    lastDeliveredMessageId: row.delivered_seq >= fromSeq ? row.delivered_message_id : null,
  };
}

function toLastMessage(row: ViewRow, lastSeq: number): LastMessage {
  return {
    messageId: row.last_message_id as string,
    seq: lastSeq,
    senderId: row.last_sender_id,
    preview: row.last_preview,
    contentType: row.last_content_type,
    timestamp: row.last_message_at.toISOString(),
  };
}

export function toConversation(row: ViewRow, members: readonly MemberColumns[]): Conversation {
  const lastSeq = Number(row.last_seq);
  const readSeq = Number(row.read_seq);
  const visibleFromSeq = Number(row.visible_from_seq);
  return {
    conversationId: row.conversation_id,
    type: row.type,
    name: row.name,
    createdAt: row.created_at.toISOString(),
    createdBy: row.created_by,
    lastSeq,
    lastRev: Number(row.last_rev),
    lastMessage: row.last_message_id !== null && lastSeq >= visibleFromSeq ? toLastMessage(row, lastSeq) : null,
    lastActivityAt: row.last_activity_at.toISOString(),
    unreadCount: lastSeq - readSeq,
    lastReadMessageId: readSeq >= visibleFromSeq ? row.read_message_id : null,
    lastReadSeq: readSeq,
    visibleFromSeq,
    memberCount: row.member_count,
    members: members.map((member) => toMember(member, visibleFromSeq)),
    role: row.role,
    settings: {
      mutedUntil: row.muted_until?.toISOString() ?? null,
      pinned: row.pinned,
      archived: row.archived,
    },
  };
}
