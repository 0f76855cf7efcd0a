import type { Message, Role } from '@parley/contracts';
import type { ConversationType } from '@parley/contracts';
import type { Mark } from '../commands/conversation-command.js';

/** What has happened to a conversation. Plain data, versioned; an event type grows by optional fields and never changes. */
export type ConversationEvent =
  | ConversationCreated
  | MessageSent
  | MessageEdited
  | MessageDeleted
  | ReactionChanged
  | ConversationRenamed
  | MembersChanged
  | SettingsChanged
  | MarksAdvanced;

interface EventBase<Type extends string> {
  type: Type;
  version: 1;
  conversationId: string;
  /** The record's time, milliseconds since the epoch. */
  at: number;
}

export interface ConversationCreated extends EventBase<'conversation-created'> {
  rev: number;
  conversationType: ConversationType;
  name: string | null;
  createdBy: string;
  members: { userId: string; role: Role }[];
}

export interface MessageSent extends EventBase<'message-sent'> {
  /** The message as it is first seen on the wire. */
  message: Message;
  requestHash: string;
}

export interface MessageEdited extends EventBase<'message-edited'> {
  rev: number;
  messageId: string;
  seq: number;
  content: string;
  /** What lists show of its media; present where no text is left to be shown. */
  mediaPreview?: string;
}

export interface MessageDeleted extends EventBase<'message-deleted'> {
  rev: number;
  messageId: string;
  seq: number;
  deletedBy: string;
}

export interface ReactionChanged extends EventBase<'reaction-changed'> {
  rev: number;
  messageId: string;
  seq: number;
  userId: string;
  emoji: string;
  present: boolean;
}

export interface ConversationRenamed extends EventBase<'conversation-renamed'> {
  rev: number;
  name: string;
}

/** One kind of change to the members: exactly one of `added`, `removed`, `roles` is not empty. */
export interface MembersChanged extends EventBase<'members-changed'> {
  rev: number;
  membershipEpoch: number;
  added: string[];
  removed: string[];
  roles: Record<string, Role>;
}

export interface SettingsChanged extends EventBase<'settings-changed'> {
  userId: string;
  mutedUntil: number | null;
  pinned: boolean;
  archived: boolean;
}

/** Marks that really moved forward, merged by maximum. */
export interface MarksAdvanced extends EventBase<'marks-advanced'> {
  marks: { userId: string; delivered?: Mark; read?: Mark }[];
}
