import type { Conversation, ConversationType, Member, Page, Receipt, Role } from '@parley/contracts';

/** Who belongs to a conversation: what authorises at the command's side and what live delivery goes by. */
export interface Membership {
  conversationId: string;
  type: ConversationType;
  membershipEpoch: number;
  members: Map<string, { role: Role; visibleFromSeq: number }>;
}

/** The bounds of what one member may see now. */
export interface MemberView {
  visibleFromSeq: number;
  lastSeq: number;
  lastRev: number;
  readSeq: number;
  readMessageId: string | null;
}

/** A position in the database's history of changes: opaque text, bound to the database that gave it. */
export type ChangePosition = string;

export interface ChangedPage {
  /** The position of the snapshot that this page was read in. */
  position: ChangePosition;
  conversations: Conversation[];
  /** Conversations that the user left or was removed from. */
  removed: string[];
  nextCursor: string | null;
}

export interface Head {
  userId: string;
  conversationId: string;
  lastSeq: number;
  lastRev: number;
  /** The user no longer belongs to it. */
  removed: boolean;
}

/** Queries over the read models. Every read shows each commit that was answered before it began. */
export abstract class ConversationReader {
  abstract membership(conversationId: string): Promise<Membership | null>;
  abstract memberView(conversationId: string, userId: string): Promise<MemberView | null>;
  /** As this user sees it; null when it does not exist or the user is not a member. */
  abstract conversation(conversationId: string, userId: string): Promise<Conversation | null>;
  /** One conversation as each of these members sees it. */
  abstract conversationFor(conversationId: string, userIds: readonly string[]): Promise<Map<string, Conversation>>;
  abstract list(
    userId: string,
    options: { archived: boolean | null; cursor: string | null; limit: number },
  ): Promise<Page<Conversation>>;
  abstract members(
    conversationId: string,
    viewerId: string,
    options: { cursor: string | null; limit: number },
  ): Promise<Page<Member>>;
  abstract membersById(conversationId: string, userIds: readonly string[]): Promise<Member[]>;
  /**
   * The user's conversations that changed since a position (null: all of them). A position of another database counts
   * as null.
   */
  abstract changedSince(
    userId: string,
    since: ChangePosition | null,
    options: { cursor: string | null; limit: number },
  ): Promise<ChangedPage>;
  /** Heads of conversations of these users that changed since a position, with the position to go on from. */
  abstract headsSince(
    userIds: readonly string[],
    since: ChangePosition | null,
  ): Promise<{ position: ChangePosition; heads: Head[] }>;
  /** For all members but the sender that belong to it now. */
  abstract receipts(conversationId: string, message: { seq: number; senderId: string; at: number }): Promise<Receipt[]>;
}
