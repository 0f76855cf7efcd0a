import type { ContentType, ConversationType, Role } from '@parley/contracts';

/** A send that was decided before: what a repeated clientMsgId is answered with. */
export interface PriorSend {
  messageId: string;
  seq: number;
  rev: number;
  /** Record time of the first send, milliseconds since the epoch. */
  at: number;
  requestHash: string;
}

export interface MemberState {
  userId: string;
  role: Role;
  joinedAt: number;
  /** The conversation's `membershipEpoch` from its latest join on; 0 when that was before it was kept. */
  joinedEpoch: number;
  visibleFromSeq: number;
  readSeq: number;
  readMessageId: string | null;
  deliveredSeq: number;
  deliveredMessageId: string | null;
  mutedUntil: number | null;
  pinned: boolean;
  archived: boolean;
}

export interface LastMessageState {
  messageId: string;
  seq: number;
  senderId: string;
  preview: string;
  contentType: ContentType;
  at: number;
  deleted: boolean;
}

/** All that deciding about a conversation needs. Message bodies are not in it. */
export interface ConversationState {
  conversationId: string;
  type: ConversationType;
  name: string | null;
  createdAt: number;
  createdBy: string;
  lastSeq: number;
  lastRev: number;
  /** Grows by one with every change of who belongs to it. */
  membershipEpoch: number;
  lastActivityAt: number;
  lastMessage: LastMessageState | null;
  members: Map<string, MemberState>;
  admins: number;
}

/** A conversation that does not exist (yet) has no state. */
export type MaybeConversation = ConversationState | null;
