import type { Conversation, ParleyConversation } from '@parley/sdk';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { TimelineView } from '../state/use-conversation.js';

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
export function useFirstUnread(
  handle: ParleyConversation,
  conversation: Conversation,
  view: TimelineView,
): FirstUnread {
  const [seq, setSeq] = useState(() => (conversation.unreadCount > 0 ? conversation.lastReadSeq + 1 : null));
  const [way, setWay] = useState<'before' | 'arrived' | 'given up'>('before');
  const hasAsked = useRef(false);
  useEffect(() => {
    if (!view.isLoaded || seq === null || hasAsked.current) return;
    hasAsked.current = true;
    // Where it cannot be reached, the newest messages are better than none.
    handle.jumpToFirstUnread().then(
      (item) => setWay(item ? 'arrived' : 'given up'),
      () => setWay('given up'),
    );
  }, [handle, view.isLoaded, seq]);
  const forget = useCallback(() => setSeq(null), []);
  // The jump may be told of before its messages are here.
  const firstSeq = view.items[0]?.seq ?? Number.POSITIVE_INFINITY;
  const isHere = seq !== null && seq >= firstSeq && seq < firstSeq + view.items.length;
  // Once there, it stays there, wherever one goes afterwards.
  const isSettled = useRef(false);
  isSettled.current ||= seq === null || way === 'given up' || (way === 'arrived' && isHere);
  return { seq, isSettled: isSettled.current, forget };
}
