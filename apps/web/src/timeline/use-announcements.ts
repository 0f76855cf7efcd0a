import type { TimelineItem } from '@parley/sdk';
import { useEffect, useRef } from 'react';
import { useNotices } from '../notices/notices.jsx';
import { useSignedIn } from '../state/signed-in.js';

/** Tells screen readers of messages that arrive in the open conversation. */
export function useAnnouncements(items: readonly TimelineItem[], isDetached: boolean): void {
  const { client, people } = useSignedIn();
  const { announce } = useNotices();
  const lastSeq = useRef<number | null>(null);
  useEffect(() => {
    if (isDetached) return;
    const last = items.findLast(({ seq }) => seq !== null);
    if (!last || last.seq === null) return;
    const isFirstLook = lastSeq.current === null;
    const isNews = last.seq > (lastSeq.current ?? 0);
    lastSeq.current = last.seq;
    if (isFirstLook || !isNews || last.senderId === client.userId) return;
    announce(`${people.nameOf(last.senderId) ?? 'Somebody'}: ${last.content}`);
  }, [items, isDetached, client, people, announce]);
}
