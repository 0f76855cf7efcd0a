import type { Conversation, ParleyConversation } from '@parley/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface FirstUnread {
  /** Where the line "New messages" stands; null where there is none. */
  readonly seq: number | null;
  /** False while the timeline is still on its way there. */
  readonly isSettled: boolean;
  /** Takes the line away. */
  readonly forget: () => void;
}

/**
 * Remembers what was unread when the conversation was opened, and brings the timeline there. The line stays where it is
 * while one reads on.
 */
export function useFirstUnread(handle: ParleyConversation, conversation: Conversation, isLoaded: boolean): FirstUnread {
  const [state, setState] = useState<{ seq: number | null; isSettled: boolean }>(() => ({
    seq: conversation.unreadCount > 0 ? conversation.lastReadSeq + 1 : null,
    isSettled: conversation.unreadCount === 0,
  }));
  const hasAsked = useRef(false);
  useEffect(() => {
    if (!isLoaded || state.isSettled || hasAsked.current) return;
    hasAsked.current = true;
    // Where it cannot be reached, the newest messages are better than none.
    const settle = (): void => setState((now) => ({ ...now, isSettled: true }));
    handle.jumpToFirstUnread().then(settle, settle);
  }, [handle, isLoaded, state.isSettled]);
  const forget = useCallback(() => setState({ seq: null, isSettled: true }), []);
  return { ...state, forget };
}
