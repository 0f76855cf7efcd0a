import type { Conversation, ConversationType, Member, Role } from '@parley/contracts';

/** Who belongs to a conversation: what authorises at the command's side and what live delivery goes by. */
export interface Membership {
  conversationId: string;
  type: ConversationType;
  membershipEpoch: number;
  /** `joinedEpoch`: the epoch of the member's latest join; what happened at an earlier one is not for it. */
  members: Map<string, { role: Role; visibleFromSeq: number; joinedEpoch: number }>;
}

/** The bounds of what one member may see now. */
export interface MemberView {
  visibleFromSeq: number;
  lastSeq: number;
  lastRev: number;
  readSeq: number;
  readMessageId: string | null;
}

/** A position in the database's history of changes: text, bound to the database that gave it. */
export type ChangePosition = string;

/** Where a page of conversations goes on: below this one, newest activity first, then the greatest id first. */
export interface ConversationPlace {
  lastActivityAt: string;
  conversationId: string;
}

/** Where a page of members goes on: after this one, in the order in which they joined, then by id. */
export interface MemberPlace {
  joinedAt: string;
  userId: string;
}

export interface ChangesQuery {
  /** Null: everything counts as changed, and nothing as removed. */
  since: ChangePosition | null;
  /** Conversations that are answered whether they changed or not, as long as the user belongs to them. */
  named: readonly string[];
  /** The changed ones that are not named come by id, after this one. */
  after: string | null;
  limit: number;
}

export interface ChangedPage {
  /** The position of the snapshot that all of this was read in. */
  position: ChangePosition;
  /** By id. */
  named: { conversation: Conversation; changed: boolean }[];
  /** By id; the first `limit` of them. */
  changed: Conversation[];
  /** There are changed ones after these. */
  more: boolean;
  /** Conversations that the user left or was removed from since the position. */
  removed: string[];
}

/** What is known of one member's marks at one message. Times are milliseconds since the epoch. */
export interface MemberReceipt {
  userId: string;
  delivered: boolean;
  /** When the mark that first covered the message was set; null when no advance that is kept says so. */
  deliveredAt: number | null;
  read: boolean;
  readAt: number | null;
}

export interface Head {
  userId: string;
  conversationId: string;
  lastSeq: number;
  lastRev: number;
  /** The user no longer belongs to it. */
  removed: boolean;
}

/**
 * Queries over the read models. Every read shows each commit that was answered before it began, and each answer is of
 * one snapshot.
 *
 * No answer names a message below the `visibleFromSeq` of its viewer, or of the member whose mark it is: such a mark is
 * null. A conversation that does not exist and one that the user does not belong to look the same.
 */
export abstract class ConversationReader {
  abstract membership(conversationId: string): Promise<Membership | null>;
  abstract memberView(conversationId: string, userId: string): Promise<MemberView | null>;
  /** As this user sees it; null when it does not exist or the user is not a member. */
  abstract conversation(conversationId: string, userId: string): Promise<Conversation | null>;
  /** One conversation as each of these members sees it. */
  abstract conversationFor(conversationId: string, userIds: readonly string[]): Promise<Map<string, Conversation>>;
  abstract list(
    userId: string,
    options: { archived: boolean | null; after: ConversationPlace | null; limit: number },
  ): Promise<Conversation[]>;
  /** Null when the viewer does not belong to it. */
  abstract members(
    conversationId: string,
    viewerId: string,
    options: { after: MemberPlace | null; limit: number },
  ): Promise<Member[] | null>;
  abstract membersById(conversationId: string, userIds: readonly string[]): Promise<Member[]>;
  /**
   * The user's conversations that changed since a position: in themselves, in the user's own view of them, or, up to 20
   * members, in anybody's marks. A change that was being committed when the position was taken counts as later. A
   * position of another database counts as null.
   */
  abstract changedSince(userId: string, query: ChangesQuery): Promise<ChangedPage>;
  /**
   * Heads of the conversations of these users that changed since a position (null: of all of them), and of those that
   * they were taken out of since; with the position to go on from. The head of a removed one is 0.
   */
  abstract headsSince(
    userIds: readonly string[],
    since: ChangePosition | null,
  ): Promise<{ position: ChangePosition; heads: Head[] }>;
  /**
   * For each member but the sender that belongs to it now and may see the message, by id. Advances are searched from the
   * message's time on, in their order and up to a bound; a mark that a member's own later send set has no advance.
   */
  abstract receipts(
    conversationId: string,
    message: { seq: number; senderId: string; at: number },
  ): Promise<MemberReceipt[]>;
}
