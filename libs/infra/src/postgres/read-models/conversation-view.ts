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

/** A member's columns, from `conversation_member m` and `users u`. */
export const MEMBER_COLUMNS = `m.user_id, u.display_name, m.role, m.joined_at, m.visible_from_seq, m.read_seq,
  m.read_message_id, m.delivered_seq, m.delivered_message_id`;

/**
 * That `o` has not left, in words that the planner takes for likely: of a column without statistics it believes that
 * hardly any value is null, and then sorts a thousand members to find the first 20 instead of walking the index.
 */
export const PRESENT = 'CASE WHEN o.removed_at IS NULL THEN true END';

/**
 * The first members of `v.conversation_id`, folded into one text with a line for each, and their names into a JSON array:
 * one row for a conversation, no snapshot but the statement's own, and a fifth of the CPU that parallel arrays cost the
 * driver. OFFSET 0 keeps each look-up by key, whatever the planner believes of fresh tables.
 */
export const SHOWN_MEMBERS = `
  SELECT string_agg(concat_ws(' ', f.user_id, f.role, (extract(epoch FROM f.joined_at) * 1000)::bigint,
      f.visible_from_seq, f.read_seq, coalesce(f.read_message_id, 0),
      f.delivered_seq, coalesce(f.delivered_message_id, 0)), E'\\n') AS member_lines,
    json_agg(f.display_name)::text AS member_names
  FROM (SELECT m.*, u.display_name
        FROM (SELECT o.* FROM conversation_member o
              WHERE o.conversation_id = v.conversation_id AND ${PRESENT}
              ORDER BY o.joined_at, uuid_send(o.user_id) LIMIT ${CONVERSATION_MEMBERS_SHOWN_MAX}) m
        LEFT JOIN LATERAL (SELECT n.display_name FROM users n WHERE n.user_id = m.user_id OFFSET 0) u ON true) f`;

/** The view of `p.user_id` on `p.conversation_id`; no row when that user does not belong to it. */
export const VIEW = `
  SELECT ${CONVERSATION_COLUMNS}, ${VIEWER_COLUMNS}
  FROM conversation_member me
  JOIN conversation c ON c.conversation_id = me.conversation_id
  WHERE me.conversation_id = p.conversation_id AND me.user_id = p.user_id AND me.removed_at IS NULL
  OFFSET 0`;

/** A member with its marks, before they are cut to what a viewer may see. */
export interface MemberMarks {
  userId: string;
  displayName: string;
  role: Role;
  joinedAt: string;
  visibleFromSeq: number;
  readSeq: number;
  readMessageId: string | null;
  deliveredSeq: number;
  deliveredMessageId: string | null;
}

export interface MemberRow {
  user_id: string;
  display_name: string | null;
  role: Role;
  joined_at: Date;
  visible_from_seq: string;
  read_seq: string;
  read_message_id: string | null;
  delivered_seq: string;
  delivered_message_id: string | null;
}

/** What `SHOWN_MEMBERS` gives. */
export interface ShownMembersRow {
  member_lines: string | null;
  member_names: string;
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

const idOrNull = (text: string | undefined): string | null => (text === undefined || text === '0' ? null : text);

/** In the order in which they joined: the order of the rows below, which an aggregate over a subquery keeps. */
export function shownMembers({ member_lines, member_names }: ShownMembersRow): MemberMarks[] {
  if (member_lines === null) return [];
  const names = JSON.parse(member_names) as (string | null)[];
  return member_lines.split('\n').map((line, i) => {
    const [userId = '', role, joinedAt, fromSeq, readSeq, readMessageId, deliveredSeq, deliveredMessageId] =
      line.split(' ');
    return {
      userId,
      displayName: names[i] ?? '',
      role: role as Role,
      joinedAt: new Date(Number(joinedAt)).toISOString(),
      visibleFromSeq: Number(fromSeq),
      readSeq: Number(readSeq),
      readMessageId: idOrNull(readMessageId),
      deliveredSeq: Number(deliveredSeq),
      deliveredMessageId: idOrNull(deliveredMessageId),
    };
  });
}

export function memberMarks(row: MemberRow): MemberMarks {
  return {
    userId: row.user_id,
    displayName: row.display_name ?? '',
    role: row.role,
    joinedAt: row.joined_at.toISOString(),
    visibleFromSeq: Number(row.visible_from_seq),
    readSeq: Number(row.read_seq),
    readMessageId: row.read_message_id,
    deliveredSeq: Number(row.delivered_seq),
    deliveredMessageId: row.delivered_message_id,
  };
}

/**
 * A member as somebody sees it who sees messages from `viewerFromSeq` on. A mark that is below that, or below what the
 * member itself sees (where its marks begin), is null.
 */
export function toMember(marks: MemberMarks, viewerFromSeq: number): Member {
  const { userId, displayName, role, joinedAt } = marks;
  const fromSeq = Math.max(viewerFromSeq, marks.visibleFromSeq);
  return {
    userId,
    displayName,
    role,
    joinedAt,
    lastReadMessageId: marks.readSeq >= fromSeq ? marks.readMessageId : null,
    lastDeliveredMessageId: marks.deliveredSeq >= fromSeq ? marks.deliveredMessageId : null,
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

/** @param members as this viewer sees them; viewers who see the same may share them */
export function toConversation(row: ViewRow, members: Member[]): Conversation {
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
    members,
    role: row.role,
    settings: {
      mutedUntil: row.muted_until?.toISOString() ?? null,
      pinned: row.pinned,
      archived: row.archived,
    },
  };
}

/** A row that carries the members that its conversation shows. */
export function conversationOf(row: ViewRow & ShownMembersRow): Conversation {
  const visibleFromSeq = Number(row.visible_from_seq);
  return toConversation(
    row,
    shownMembers(row).map((marks) => toMember(marks, visibleFromSeq)),
  );
}
