import type { ParleyConversation, TimelineItem } from '@parley/sdk';
import { createContext, useContext } from 'react';

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

export const ConversationActionsContext = createContext<ConversationActions | null>(null);

export function useConversationActions(): ConversationActions {
  const actions = useContext(ConversationActionsContext);
  if (!actions) throw new Error('This is not in a conversation');
  return actions;
}
