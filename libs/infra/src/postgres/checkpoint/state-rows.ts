import type { ContentType, ConversationType, Role } from '@parley/contracts';
import type { ConversationState } from '@parley/domain';

/** A conversation as the loading statement gives it: times in milliseconds, message ids as text. */
export interface ConversationRow {
  conversation_id: string;
  type: ConversationType;
  name: string | null;
  created_ms: number;
  created_by: string;
  last_seq: number;
  last_rev: number;
  membership_epoch: number;
  last_activity_ms: number;
  last_message_id: string | null;
  last_sender_id: string;
  last_preview: string;
  last_content_type: ContentType;
  last_message_ms: number;
  last_message_deleted: boolean;
}

export interface MemberStateRow {
  conversation_id: string;
  user_id: string;
  role: Role;
  joined_ms: number;
  visible_from_seq: number;
  joined_epoch: number;
  read_seq: number;
  read_message_id: string | null;
  delivered_seq: number;
  delivered_message_id: string | null;
  muted_until_ms: number | null;
  pinned: boolean;
  archived: boolean;
}

/** The state without its members. */
export function stateOf(row: ConversationRow): ConversationState {
  return {
    conversationId: row.conversation_id,
    type: row.type,
    name: row.name,
    createdAt: row.created_ms,
    createdBy: row.created_by,
    lastSeq: row.last_seq,
    lastRev: row.last_rev,
    membershipEpoch: row.membership_epoch,
    lastActivityAt: row.last_activity_ms,
    lastMessage:
      row.last_message_id === null
        ? null
        : {
            messageId: row.last_message_id,
            seq: row.last_seq,
            senderId: row.last_sender_id,
            preview: row.last_preview,
            contentType: row.last_content_type,
            at: row.last_message_ms,
            deleted: row.last_message_deleted,
          },
    members: new Map(),
    admins: 0,
  };
}
