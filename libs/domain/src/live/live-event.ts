import type { Message, Role } from '@parley/contracts';
import type { Mark } from '../conversation/commands/conversation-command.js';

/**
 * What committed changes (and typing) look like on their way to the gateways. Not the wire's events: a gateway knows
 * which sockets it has and what each user may see.
 *
 * `membershipEpoch` is that of the conversation when it happened: a gateway that sees a newer one than it knows reads
 * the members again before it delivers, so that a lost "leave the room" leaks nothing.
 */
export type LiveEvent =
  | LiveMessageSent
  | LiveMessageChanged
  | LiveConversationCreated
  | LiveConversationRenamed
  | LiveMembersChanged
  | LiveMarksAdvanced
  | LiveTyping
  | LiveSendSettled
  | LiveConversationsMoved
  | LiveBlocksChanged
  | LivePresenceChanged
  | LivePresenceHidden;

interface InConversation<Type extends string> {
  type: Type;
  conversationId: string;
  membershipEpoch: number;
}

export interface LiveMessageSent extends InConversation<'message-sent'> {
  message: Message;
  /** The socket that sent it does not hear it. */
  originConnectionId: string | null;
  /** When the command was submitted, for the delivery latency; milliseconds since the epoch. */
  submittedAt: number;
}

export interface LiveMessageChanged extends InConversation<'message-changed'> {
  message: Message;
}

export interface LiveConversationCreated extends InConversation<'conversation-created'> {
  memberIds: string[];
}

export interface LiveConversationRenamed extends InConversation<'conversation-renamed'> {
  rev: number;
  name: string | null;
}

export interface LiveMembersChanged extends InConversation<'members-changed'> {
  rev: number;
  added: string[];
  removed: string[];
  roles: Record<string, Role>;
}

export interface LiveMarksAdvanced extends InConversation<'marks-advanced'> {
  memberCount: number;
  marks: { userId: string; delivered?: Mark; read?: Mark }[];
}

export interface LiveTyping extends InConversation<'typing'> {
  userId: string;
  isTyping: boolean;
  originConnectionId: string | null;
}

/** The end of a send that was answered `accepted`, for all devices of its sender. */
export interface LiveSendSettled {
  type: 'send-settled';
  userId: string;
  conversationId: string;
  clientMsgId: string;
  outcome:
    | { status: 'stored'; messageId: string; seq: number; rev: number; at: number }
    | { status: 'rejected'; code: string; detail: string };
}

/** A partition has a new owner: events between its last checkpoint and broadcast may be unseen. Clients get `heads`. */
export interface LiveConversationsMoved {
  type: 'conversations-moved';
  heads: { conversationId: string; lastSeq: number; lastRev: number }[];
}

/** Somebody has blocked or unblocked somebody: for the memories of processes, not for clients. */
export interface LiveBlocksChanged {
  type: 'blocks-changed';
  blockerId: string;
  blockedId: string;
}

/** Something about a user's sessions has changed: whoever shows that user asks the registry. */
export interface LivePresenceChanged {
  type: 'presence-changed';
  userId: string;
}

/** A user hides its presence from now on, and sees nobody's; or does not any more. */
export interface LivePresenceHidden {
  type: 'presence-hidden';
  userId: string;
  hidden: boolean;
}
