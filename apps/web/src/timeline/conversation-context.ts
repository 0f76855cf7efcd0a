import type { Conversation, ParleyConversation, TimelineItem } from '@parley/sdk';
import { createContext, useContext } from 'react';
import type { TimelineView } from '../state/use-conversation.js';

/** What a message can ask of the conversation that it stands in. Stays the same while messages come and go. */
export interface ConversationActions {
  readonly handle: ParleyConversation;
  readonly selfId: string;
  readonly isGroup: boolean;
  /** Admins of a group may delete what others wrote. */
  readonly isAdmin: boolean;
  /** False once the user does not belong to it any more. */
  readonly canWrite: boolean;
  readonly reply: (item: TimelineItem) => void;
  readonly edit: (item: TimelineItem) => void;
  readonly confirmDelete: (item: TimelineItem) => void;
  readonly showInfo: (item: TimelineItem) => void;
  readonly jumpTo: (messageId: string) => void;
}

/** What the edges of the list are told. */
export interface TimelineContext {
  readonly view: TimelineView;
  readonly conversation: Conversation;
}

export const ConversationActionsContext = createContext<ConversationActions | null>(null);

export function useConversationActions(): ConversationActions {
  const actions = useContext(ConversationActionsContext);
  if (!actions) throw new Error('This is not in a conversation');
  return actions;
}
