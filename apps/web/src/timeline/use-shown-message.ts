import { useCallback, useEffect, useRef, useState } from 'react';
import type { VirtuosoHandle } from 'react-virtuoso';
import type { BegunSlice } from './use-slice.js';

const HIGHLIGHT_MS = 1_800;
/** A list that has just begun somewhere is still on its way there, and overrules where it is sent meanwhile. */
const YOUNG_MS = 1_000;

interface ShownIn {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly slice: BegunSlice;
  readonly virtuoso: React.RefObject<VirtuosoHandle | null>;
  readonly beginAt: (seq: number) => void;
}

/** Brings a message to the middle of the list. A jump may be told of before its messages are here: they are waited for. */
export function useShownMessage({ firstSeq, lastSeq, slice, virtuoso, beginAt }: ShownIn) {
  const [wanted, setWanted] = useState<number | null>(null);
  const [highlighted, setHighlighted] = useState<number | null>(null);
  const begun = useRef({ run: slice.run, atMs: 0 });
  if (begun.current.run !== slice.run) begun.current = { run: slice.run, atMs: performance.now() };
  useEffect(() => {
    if (wanted === null || wanted < firstSeq || wanted > lastSeq) return;
    setWanted(null);
    setHighlighted(wanted);
    const isYoung = performance.now() - begun.current.atMs < YOUNG_MS;
    if (isYoung || wanted < slice.from || wanted > slice.to) return beginAt(wanted);
    const index = wanted - slice.from;
    requestAnimationFrame(() => virtuoso.current?.scrollToIndex({ index, align: 'center', behavior: 'auto' }));
  }, [wanted, firstSeq, lastSeq, slice, virtuoso, beginAt]);
  useEffect(() => {
    if (highlighted === null) return;
    const timer = setTimeout(() => setHighlighted(null), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [highlighted]);
  const showSeq = useCallback((seq: number) => setWanted(seq), []);
  return { highlighted, showSeq };
}
