import type { ParleyConversation } from '@parley/sdk';
import type { ListRange } from 'react-virtuoso';
import { useCallback, useEffect, useRef } from 'react';
import type { TimelineView } from '../state/use-conversation.js';

/** So many messages before the end of what is loaded, more are asked for. */
const AHEAD_MESSAGES = 30;
const RETRY_MS = 3_000;

/** Loads older and newer pages before one scrolls to the end of what is there. */
export function usePaging(
  handle: ParleyConversation,
  view: TimelineView,
  firstSeq: number,
  run: number,
): (range: ListRange) => void {
  const loading = useRef({ older: false, newer: false });
  const range = useRef<ListRange | null>(null);
  const latest = useRef({ view, firstSeq });
  latest.current = { view, firstSeq };
  const rangeRun = useRef(run);
  // Where another list began, what the one before it showed means nothing.
  if (rangeRun.current !== run) range.current = null;
  rangeRun.current = run;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const look = useCallback(() => {
    const seen = range.current;
    if (!seen) return;
    const load = (side: 'older' | 'newer', work: () => Promise<boolean>): void => {
      if (loading.current[side]) return;
      loading.current[side] = true;
      work().then(
        () => {
          loading.current[side] = false;
        },
        () => {
          loading.current[side] = false;
          clearTimeout(timer.current);
          timer.current = setTimeout(look, RETRY_MS);
        },
      );
    };
    const now = latest.current;
    const firstShown = seen.startIndex - now.firstSeq;
    const lastShown = seen.endIndex - now.firstSeq;
    if (now.view.hasOlder && firstShown < AHEAD_MESSAGES) load('older', () => handle.loadOlder());
    if (now.view.hasNewer && lastShown > now.view.items.length - AHEAD_MESSAGES) {
      load('newer', () => handle.loadNewer());
    }
  }, [handle]);
  useEffect(() => () => clearTimeout(timer.current), []);
  // A page may have been too short to fill the screen.
  useEffect(look, [view, look]);
  return useCallback(
    (next: ListRange) => {
      range.current = next;
      look();
    },
    [look],
  );
}
