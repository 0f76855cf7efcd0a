import { useEffect, useSyncExternalStore } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** The number of unread messages before the name of the page. */
export function useDocumentTitle(): void {
  const { client } = useSignedIn();
  const unread = useSyncExternalStore(
    (changed) => client.on('conversations', changed),
    () => client.unreadCount,
  );
  useEffect(() => {
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley';
    };
  }, [unread]);
}
