import type { Conversation, TimelineItem } from '@parley/sdk';
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import { type ListRange, Virtuoso, type VirtuosoHandle } from 'react-virtuoso';
import { Icon } from '../design/icon.jsx';
import type { TimelineView } from '../state/use-conversation.js';
import { type TimelineContext, useConversationActions } from './conversation-context.js';
import { areGrouped } from './grouping.js';
import { useMarkVisible, useOnceSettled, useScrollToOwn, useStayingAtBottom } from './list-habits.js';
import { MessageRow } from './message-row.jsx';
import { TimelineEnd, TimelineStart } from './timeline-edges.jsx';
import { isSameDay } from './times.js';
import { useMessageKeys } from './use-message-keys.js';
import { usePaging } from './use-paging.js';
import { useSettled } from './use-settled.js';
import { useShownMessage } from './use-shown-message.js';
import { type BegunSlice, useSlice } from './use-slice.js';

/** Rendered beyond what is seen, so that a quick scroll meets messages and not a blank page. */
const OVERSCAN_PX = { top: 900, bottom: 600 };
const AT_BOTTOM_PX = 80;

export interface TimelineHandle {
  /** Brings a message to the middle as soon as it is in the timeline, and makes it stand out for a moment. */
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

const COMPONENTS = { Header: TimelineStart, Footer: TimelineEnd };

/**
 * The virtual list. Its index is the messages' `seq`, so that older messages before it shift nothing; where the timeline
 * goes on somewhere else, the list begins anew there.
 */
export function Timeline(props: TimelineProps) {
  const { view, conversation } = props;
  const list = useMessageList(props);
  const { firstSeq, slice, unreadAt, highlighted } = list;
  const { items } = view;
  const context = useMemo((): TimelineContext => ({ view, conversation }), [view, conversation]);
  const row = (index: number, item: TimelineItem) => {
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
  };
  return (
    <div className="timeline">
      <Virtuoso<TimelineItem, TimelineContext>
        key={slice.run}
        ref={list.virtuoso}
        className="timeline-scroller"
        data={list.data}
        context={context}
        components={COMPONENTS}
        firstItemIndex={slice.from}
        initialTopMostItemIndex={list.begin}
        alignToBottom
        increaseViewportBy={OVERSCAN_PX}
        atBottomThreshold={AT_BOTTOM_PX}
        atBottomStateChange={list.atBottomChanged}
        followOutput={list.followOutput}
        rangeChanged={list.rangeChanged}
        computeItemKey={(_index, item) => item.key}
        scrollerRef={list.takeScroller}
        onScroll={list.markVisible}
        onFocus={list.keys.onFocus}
        onKeyDown={list.keys.onKeyDown}
        itemContent={row}
      />
      {(!list.isAtBottom || list.hasNewer) && (
        <ToLatest unreadCount={conversation.unreadCount} onClick={list.showLatest} />
      )}
    </div>
  );
}

function ToLatest({ unreadCount, onClick }: { unreadCount: number; onClick: () => void }) {
  return (
    <button type="button" className="to-bottom" onClick={onClick}>
      <Icon name="down" />
      {unreadCount > 0 ? (
        <span>
          {unreadCount} new {unreadCount === 1 ? 'message' : 'messages'}
        </span>
      ) : (
        <span className="visually-hidden">To the latest message</span>
      )}
    </button>
  );
}

/** What the list shows, and what it does when that changes or somebody scrolls. */
function useMessageList({ ref, view, conversation, firstUnreadSeq }: TimelineProps) {
  const { handle, selfId } = useConversationActions();
  const { items } = view;
  const virtuoso = useRef<VirtuosoHandle>(null);
  const scroller = useRef<HTMLElement | null>(null);
  // Where nothing is stored yet, the first message that will be has this number.
  const firstSeq = items[0]?.seq ?? conversation.visibleFromSeq;
  const lastSeq = firstSeq + items.length - 1;
  const { slice, move, begin: beginAt } = useSlice(firstSeq, lastSeq, firstUnreadSeq);
  const hasNewer = view.hasNewer || slice.to < lastSeq;
  const data = useMemo(() => {
    const end = slice.to === Number.POSITIVE_INFINITY ? undefined : slice.to - firstSeq + 1;
    return items.slice(slice.from - firstSeq, end);
  }, [items, slice, firstSeq]);
  const begin = useMemo(() => beginningOf(slice, data.length), [slice.run]);
  const isSettled = useSettled(slice, scroller, () => virtuoso.current?.scrollToIndex({ ...begin, behavior: 'auto' }));
  const { isAtBottom, atBottomChanged } = useAtBottom(slice, isSettled);
  const isFollowing = isAtBottom && !hasNewer;
  const latest = useRef({ items, firstSeq, lastSeq, slice, conversation, isFollowing });
  latest.current = { items, firstSeq, lastSeq, slice, conversation, isFollowing };

  const markVisible = useMarkVisible(handle, scroller, latest);
  const loadAround = usePaging(handle, view, firstSeq, slice.run);
  const rangeShown = useCallback(
    ({ startIndex, endIndex }: ListRange) => {
      move({ firstSeq: startIndex, lastSeq: endIndex });
      loadAround({ startIndex, endIndex });
      // What is there only now could not be seen before.
      markVisible();
    },
    [move, loadAround, markVisible],
  );
  const rangeChanged = useOnceSettled(isSettled, rangeShown);
  const { highlighted, showSeq } = useShownMessage({ firstSeq, lastSeq, slice, virtuoso, beginAt });
  useImperativeHandle(ref, () => ({ showSeq, markVisible }), [showSeq, markVisible]);
  // The count may change a moment after the message is there.
  useEffect(markVisible, [items, conversation.unreadCount, markVisible]);
  useScrollToOwn(items, selfId, virtuoso);
  useStayingAtBottom({ scroller, isAtBottom: isFollowing, list: virtuoso, slice, items });
  // Always the same function: with each new one the list goes to its end if it grows within the next 100 ms.
  const followOutput = useCallback((atEnd: boolean) => (atEnd && latest.current.isFollowing ? 'auto' : false), []);
  const showLatest = (): void => {
    handle.jumpToLatest();
    if (slice.to < lastSeq) return beginAt(null);
    requestAnimationFrame(() => virtuoso.current?.scrollToIndex({ index: 'LAST', align: 'end', behavior: 'auto' }));
  };
  const keys = useMessageKeys(virtuoso, showLatest);
  const takeScroller = useCallback((element: HTMLElement | Window | null) => {
    scroller.current = element instanceof HTMLElement ? element : null;
    scroller.current?.setAttribute('aria-label', 'Messages');
    scroller.current?.setAttribute('role', 'region');
  }, []);
  const unreadAt = firstUnreadSeq === null ? -1 : firstUnreadSeq - firstSeq;
  const state = { data, slice, firstSeq, begin, unreadAt, highlighted, hasNewer, isAtBottom };
  return {
    ...state,
    virtuoso,
    atBottomChanged,
    followOutput,
    rangeChanged,
    markVisible,
    showLatest,
    takeScroller,
    keys,
  };
}

/**
 * Whether the end is on the screen. Before a list has measured its messages it says so wherever it begins: until it has
 * settled, what it was begun for counts.
 */
function useAtBottom({ run, target }: BegunSlice, isSettled: boolean) {
  const [told, setTold] = useState<{ run: number; isAtBottom: boolean } | null>(null);
  const tell = useCallback((isAtBottom: boolean) => setTold({ run, isAtBottom }), [run]);
  const atBottomChanged = useOnceSettled(isSettled, tell);
  return { isAtBottom: told?.run === run ? told.isAtBottom : target === null, atBottomChanged };
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
