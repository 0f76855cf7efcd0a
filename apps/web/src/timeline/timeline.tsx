import type { Conversation, TimelineItem } from '@parley/sdk';
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { type ListRange, Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import { Icon } from '../design/icon.js';
import type { TimelineView } from '../state/use-conversation.js';
import { useConversationActions } from './conversation-context.js';
import { areGrouped } from './grouping.js';
import { MessageRow } from './message-row.js';
import { TimelineEnd, TimelineStart } from './timeline-edges.js';
import { isSameDay } from './times.js';
import { usePaging } from './use-paging.js';
import { type BegunSlice, useSlice } from './use-slice.js';

/** Rendered beyond what is seen, so that a quick scroll meets messages and not a blank page. */
const OVERSCAN_PX = { top: 900, bottom: 600 };
const AT_BOTTOM_PX = 80;
const READ_DELAY_MS = 250;
const HIGHLIGHT_MS = 1_800;
const SETTLE_MS = 120;

export interface TimelineHandle {
  /** Brings a message that is in the timeline to the middle, and makes it stand out for a moment. */
  readonly showSeq: (seq: number) => void;
  /** Marks as read what is on the screen of somebody who looks. */
  readonly markVisible: () => void;
}

interface TimelineProps {
  readonly ref: React.Ref<TimelineHandle>;
  readonly view: TimelineView;
  readonly conversation: Conversation;
  readonly firstUnreadSeq: number | null;
}

export interface TimelineContext {
  readonly view: TimelineView;
  readonly conversation: Conversation;
}

const COMPONENTS = { Header: TimelineStart, Footer: TimelineEnd };

/**
 * The virtual list. Its index is the messages' `seq`, so that older messages before it shift nothing; where the timeline
 * goes on somewhere else, the list begins anew there.
 */
export function Timeline({ ref, view, conversation, firstUnreadSeq }: TimelineProps) {
  const { handle, selfId } = useConversationActions();
  const { items } = view;
  const list = useRef<VirtuosoHandle>(null);
  const scroller = useRef<HTMLElement | null>(null);
  const [isAtBottom, setAtBottom] = useState(true);
  const [highlighted, setHighlighted] = useState<number | null>(null);
  // Where nothing is stored yet, the first message that will be has this number.
  const firstSeq = items[0]?.seq ?? conversation.visibleFromSeq;
  const lastSeq = firstSeq + items.length - 1;
  const { slice, move, begin: beginAt } = useSlice(firstSeq, lastSeq, firstUnreadSeq);
  const { run } = slice;
  const hasNewer = view.hasNewer || slice.to < lastSeq;
  const data = useMemo(
    () =>
      items.slice(slice.from - firstSeq, slice.to === Number.POSITIVE_INFINITY ? undefined : slice.to - firstSeq + 1),
    [items, slice, firstSeq],
  );
  const latest = useRef({ items, firstSeq, lastSeq, slice, conversation });
  latest.current = { items, firstSeq, lastSeq, slice, conversation };
  const markVisible = useMarkVisible(handle, scroller, latest);
  const loadAround = usePaging(handle, view, firstSeq);

  const rangeChanged = useCallback(
    ({ startIndex, endIndex }: ListRange) => {
      move({ firstSeq: startIndex, lastSeq: endIndex });
      loadAround({ startIndex, endIndex });
    },
    [move, loadAround],
  );
  const showSeq = useCallback(
    (seq: number) => {
      setHighlighted(seq);
      const { from, to } = latest.current.slice;
      if (seq < from || seq > to) return beginAt(seq);
      // A list that has just begun anew knows its rows in the next frame.
      requestAnimationFrame(() => {
        const index = seq - latest.current.slice.from;
        list.current?.scrollToIndex({ index, align: 'center', behavior: 'auto' });
      });
    },
    [beginAt],
  );
  useEffect(() => {
    if (highlighted === null) return;
    const timer = setTimeout(() => setHighlighted(null), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [highlighted]);
  useImperativeHandle(ref, () => ({ showSeq, markVisible }), [showSeq, markVisible]);
  useEffect(markVisible, [items, markVisible]);
  useScrollToOwn(items, selfId, list);
  useStayingAtBottom(scroller, isAtBottom && !hasNewer, list, run);

  const showLatest = (): void => {
    handle.jumpToLatest();
    if (latest.current.slice.to < latest.current.lastSeq) return beginAt(null);
    requestAnimationFrame(() => list.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'auto' }));
  };
  const context = useMemo((): TimelineContext => ({ view, conversation }), [view, conversation]);
  const unreadAt = firstUnreadSeq === null ? -1 : firstUnreadSeq - firstSeq;
  const begin = useMemo(() => beginningOf(slice, data.length), [run]);
  return (
    <div className="timeline">
      <Virtuoso<TimelineItem, TimelineContext>
        key={run}
        ref={list}
        className="timeline-scroller"
        data={data}
        context={context}
        components={COMPONENTS}
        firstItemIndex={slice.from}
        initialTopMostItemIndex={begin}
        alignToBottom
        increaseViewportBy={OVERSCAN_PX}
        atBottomThreshold={AT_BOTTOM_PX}
        atBottomStateChange={setAtBottom}
        followOutput={(atBottom) => (atBottom && !hasNewer ? 'auto' : false)}
        rangeChanged={rangeChanged}
        computeItemKey={(_index, item) => item.key}
        scrollerRef={(element) => {
          scroller.current = element instanceof HTMLElement ? element : null;
          scroller.current?.setAttribute('aria-label', 'Messages');
          scroller.current?.setAttribute('role', 'region');
        }}
        onScroll={markVisible}
        itemContent={(index, item) => {
          const at = index - firstSeq;
          const [before, after] = [items[at - 1], items[at + 1]];
          return (
            <MessageRow
              item={item}
              startsDay={!before || !isSameDay(before.timestamp, item.timestamp)}
              startsUnread={at === unreadAt}
              startsGroup={at === unreadAt || !areGrouped(before, item)}
              endsGroup={!areGrouped(item, after)}
              isLast={at === items.length - 1}
              isHighlighted={item.seq !== null && item.seq === highlighted}
            />
          );
        }}
      />
      {(!isAtBottom || hasNewer) && (
        <button type="button" className="to-bottom" onClick={showLatest}>
          <Icon name="down" />
          {conversation.unreadCount > 0 ? (
            <span>
              {conversation.unreadCount} new {conversation.unreadCount === 1 ? 'message' : 'messages'}
            </span>
          ) : (
            <span className="visually-hidden">To the latest message</span>
          )}
        </button>
      )}
    </div>
  );
}

/** Where a list that begins anew stands: at the message that it was made for, else at its end. */
function beginningOf({ target, from }: BegunSlice, length: number) {
  const last = { index: Math.max(0, length - 1), align: 'end' as const };
  if (target === null || target.seq - from >= length) return last;
  const index = target.seq - from;
  // The line "New messages" above it is seen as well.
  return target.align === 'start'
    ? { index, align: 'start' as const, offset: -72 }
    : { index, align: 'center' as const };
}

/** Whoever is at the end stays there when the pane becomes narrower or lower: a panel opens, a keyboard rises. */
function useStayingAtBottom(
  scroller: React.RefObject<HTMLElement | null>,
  isAtBottom: boolean,
  list: React.RefObject<VirtuosoHandle | null>,
  run: number,
): void {
  const stays = useRef(isAtBottom);
  useEffect(() => {
    // A new size moves the end out of sight before anybody is asked whether they were there.
    const timer = setTimeout(() => (stays.current = isAtBottom), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [isAtBottom]);
  useEffect(() => {
    if (!scroller.current) return;
    const observer = new ResizeObserver(() => {
      if (stays.current) list.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'auto' });
    });
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [scroller, list, run]);
}

/** One's own new message is always brought into view. */
function useScrollToOwn(
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
function useMarkVisible(
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
