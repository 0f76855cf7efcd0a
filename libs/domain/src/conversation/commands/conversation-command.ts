import type { ContentType, ConversationType, ErrorCode, Media, Role } from '@parley/contracts';

/**
 * What can be asked of one conversation. These are journaled, so they are plain data, grow only by optional fields,
 * and carry every fact that the decision needs beyond the conversation's own state (a message's author and seq, limits).
 */
export type ConversationCommand =
  | CreateConversationCommand
  | SendMessageCommand
  | EditMessageCommand
  | DeleteMessageCommand
  | ReactCommand
  | RenameCommand
  | ChangeMembersCommand
  | ChangeSettingsCommand
  | AdvanceMarksCommand;

export interface CreateConversationCommand {
  type: 'create-conversation';
  conversationType: ConversationType;
  name: string | null;
  /** The others, without the actor, each once. */
  memberIds: string[];
}

export interface SendMessageCommand {
  type: 'send-message';
  clientMsgId: string;
  content: string;
  contentType: ContentType;
  media: Media[];
  replyToMessageId: string | null;
  /** Of the request as it was before policies, so that a repeated send is recognised whatever a policy made of it. */
  requestHash: string;
  /**
   * What settled at the command's side that this send is refused, unless it repeats one that is before it in the log: an
   * earlier one may have been `accepted` and be stored by now, or soon.
   */
  refusedUnlessRepeated?: SendRefusal;
}

export interface SendRefusal {
  code: ErrorCode;
  detail: string;
}

/** A message that was looked up at the command's side: facts about it that never change. */
export interface MessageFacts {
  messageId: string;
  seq: number;
  authorId: string;
}

export interface EditMessageCommand {
  type: 'edit-message';
  message: MessageFacts;
  content: string;
  /** What lists show of its media; present where no text is left to be shown. */
  mediaPreview?: string;
}

export interface DeleteMessageCommand {
  type: 'delete-message';
  message: MessageFacts;
}

export interface ReactCommand {
  type: 'react';
  message: MessageFacts;
  emoji: string;
  /** False takes the reaction back. */
  present: boolean;
}

export interface RenameCommand {
  type: 'rename';
  name: string;
}

export interface ChangeMembersCommand {
  type: 'change-members';
  add: string[];
  remove: string[];
  roles: Record<string, Role>;
  membersMax: number;
}

export interface ChangeSettingsCommand {
  type: 'change-settings';
  /** Milliseconds since the epoch. */
  mutedUntil?: number | null;
  pinned?: boolean;
  archived?: boolean;
}

export interface Mark {
  seq: number;
  messageId: string;
}

export interface MemberMarks {
  userId: string;
  delivered?: Mark;
  read?: Mark;
}

/** The folded receipts of one conversation, of any of its members. It has no single actor. */
export interface AdvanceMarksCommand {
  type: 'advance-marks';
  marks: MemberMarks[];
}
