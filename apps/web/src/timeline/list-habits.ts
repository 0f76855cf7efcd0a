import type { Conversation, TimelineItem } from '@parley/sdk';
import { useCallback, useEffect, useRef } from 'react';
import type { VirtuosoHandle } from 'react-virtuoso';
import type { BegunSlice } from './use-slice.js';

const READ_DELAY_MS = 250;
const SETTLE_MS = 120;
interface Staying {
  readonly scroller: React.RefObject<HTMLElement | null>;
  readonly isAtBottom: boolean;
  readonly list: React.RefObject<VirtuosoHandle | null>;
  readonly slice: BegunSlice;
  readonly items: readonly TimelineItem[];
}

/** Whoever is at the end stays there when the pane becomes smaller (a panel opens, a keyboard rises) or a message taller. */
export function useStayingAtBottom({ scroller, isAtBottom, list, slice, items }: Staying): void {
  const stays = useRef(isAtBottom);
  useEffect(() => {
    // A new size moves the end out of sight before anybody is asked whether they were there.
    const timer = setTimeout(() => (stays.current = isAtBottom), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isAtBottom]);
  const { run } = slice;
  const beginsAtEnd = slice.target === null;
  useEffect(() => {
    stays.current = beginsAtEnd;
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      // Not by the list: it reckons with the height that it knew, and stays short of its end by the difference.
      if (stays.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, list, run, beginsAtEnd]);
  useEffect(() => {
    if (stays.current) list.current?.autoscrollToBottom();
  }, [items, list]);
}

/** One's own new message is always brought into view. */
export function useScrollToOwn(
  items: readonly TimelineItem[],
  selfId: string,
  list: React.RefObject<VirtuosoHandle | null>,
): void {
  const lastKey = useRef(items.at(-1)?.key);
  useEffect(() => {
    const last = items.at(-1);
    if (last?.key === lastKey.current) return;
    lastKey.current = last?.key;
    if (last?.senderId !== selfId || last.status !== 'sending') return;
    requestAnimationFrame(() => list.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'auto' }));
  }, [items, selfId, list]);
}

/** Marks read up to the lowest message that can be seen whole, a moment after it came into view. */
export function useMarkVisible(
  handle: { markRead: (messageId?: string) => void },
  scroller: React.RefObject<HTMLElement | null>,
  latest: React.RefObject<{ items: readonly TimelineItem[]; firstSeq: number; conversation: Conversation }>,
): () => void {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      const { items, firstSeq, conversation } = latest.current;
      if (conversation.unreadCount === 0 || document.visibilityState !== 'visible' || !document.hasFocus()) return;
      const seq = lowestSeenSeq(scroller.current);
      const item = seq === null ? undefined : items[seq - firstSeq];
      if (seq !== null && item?.messageId && seq > conversation.lastReadSeq) handle.markRead(item.messageId);
    }, READ_DELAY_MS);
  }, [handle, scroller, latest]);
}

function lowestSeenSeq(scroller: HTMLElement | null): number | null {
  if (!scroller) return null;
  const { bottom, top } = scroller.getBoundingClientRect();
  let lowest: number | null = null;
  for (const row of scroller.querySelectorAll<HTMLElement>('[data-seq]')) {
    const box = row.getBoundingClientRect();
    // One that is taller than the screen is seen when its end is.
    if (box.bottom > bottom + 8 || box.bottom < top) continue;
    lowest = Math.max(lowest ?? 0, Number(row.dataset['seq']));
  }
  return lowest;
}

/** Holds back what a list says until it has settled, and then tells the latest. */
export function useOnceSettled<News>(isSettled: boolean, tell: (news: News) => void): (news: News) => void {
  const held = useRef<{ news: News } | null>(null);
  useEffect(() => {
    if (isSettled && held.current) tell(held.current.news);
  }, [isSettled, tell]);
  return useCallback(
    (news: News) => {
      held.current = { news };
      if (isSettled) tell(news);
    },
    [isSettled, tell],
  );
}
