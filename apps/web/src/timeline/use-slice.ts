import { useCallback, useEffect, useRef, useState } from 'react';
import { continued, type Extent, moved, type Slice, sliceAround } from './slice.js';

/** With the message that the list was begun for; null: for its end. */
export interface BegunSlice extends Slice {
  readonly target: { readonly seq: number; readonly align: 'start' | 'center' } | null;
}

interface UsedSlice {
  readonly slice: BegunSlice;
  /** Tells what is shown now. */
  readonly move: (shown: Extent) => void;
  /** Begins anew at a message, or at the end. */
  readonly begin: (seq: number | null) => void;
}

/** The slice of a timeline that its list works on, kept to what is shown and to what there is. */
export function useSlice(firstSeq: number, lastSeq: number, firstUnreadSeq: number | null): UsedSlice {
  const extent = useRef({ firstSeq, lastSeq });
  extent.current = { firstSeq, lastSeq };
  const [slice, setSlice] = useState((): BegunSlice => {
    const isThere = firstUnreadSeq !== null && firstUnreadSeq >= firstSeq && firstUnreadSeq <= lastSeq;
    const target = isThere ? { seq: firstUnreadSeq, align: 'start' as const } : null;
    return { ...sliceAround(target?.seq ?? lastSeq, { firstSeq, lastSeq }, 0), target };
  });
  const next = continued(slice, { firstSeq, lastSeq });
  const current = next === slice ? slice : { ...next, target: null };
  if (current !== slice) setSlice(current);
  const lastShown = useRef<(Extent & { readonly run: number }) | null>(null);
  const { run } = current;
  const move = useCallback((shown: Extent) => {
    setSlice((now) => {
      lastShown.current = { ...shown, run: now.run };
      const after = moved(now, shown, extent.current);
      return after === now ? now : { ...after, target: now.target };
    });
  }, []);
  // At the edge of what was loaded nothing scrolls, and nothing tells what is shown, until there is more.
  useEffect(() => {
    if (lastShown.current?.run === run) move(lastShown.current);
  }, [move, firstSeq, lastSeq, current, run]);
  const begin = useCallback((seq: number | null) => {
    lastShown.current = null;
    setSlice((now) => ({
      ...sliceAround(seq ?? extent.current.lastSeq, extent.current, now.run + 1),
      target: seq === null ? null : { seq, align: 'center' },
    }));
  }, []);
  return { slice: current, move, begin };
}
