import { useConversations } from '@parley/react';
import { useEffect } from 'react';

/** The number of unread messages before the name of the page. */
export function useDocumentTitle(): void {
  const { unreadCount: unread } = useConversations();
  useEffect(() => {
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley';
    };
  }, [unread]);
}
