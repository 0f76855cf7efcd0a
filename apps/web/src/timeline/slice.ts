/** So many messages are given to the virtual list when it begins somewhere, on each side of what it shows. */
export const SLICE_REACH = 150;
/** What lies further from what is shown than this is taken out again. */
const SLICE_REACH_MAX = 400;
/** So close to its edge, the slice grows. */
const EDGE = 50;

/**
 * The part of a long timeline that the virtual list works on, by `seq`. The list measures each message it has ever shown
 * and moves all of its figures when older ones come: with 10,000 of them that took 115 ms for each page.
 */
export interface Slice {
  /** Changes when the list has to begin anew. */
  readonly run: number;
  readonly from: number;
  /** Infinity: to the end, and on with it. */
  readonly to: number;
}

export interface Extent {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

/** Around a message, or at the end where that is near. */
export function sliceAround(seq: number, { firstSeq, lastSeq }: Extent, run: number): Slice {
  const to = seq + SLICE_REACH >= lastSeq ? Number.POSITIVE_INFINITY : seq + SLICE_REACH;
  return { run, from: Math.max(firstSeq, seq - SLICE_REACH), to };
}

/** The slice for a timeline that has changed: the same one, unless what it shows is not part of it any more. */
export function continued(slice: Slice, extent: Extent): Slice {
  const isThere = slice.from >= extent.firstSeq && slice.from <= extent.lastSeq + 1;
  return isThere ? slice : sliceAround(extent.lastSeq, extent, slice.run + 1);
}

/**
 * Grows towards what is shown and, another time, leaves out what is far from it: the list takes older messages by how
 * many came, which must not be hidden by as many that went. Gives the same object if nothing is to be done.
 */
export function moved(slice: Slice, shown: Extent, extent: Extent): Slice {
  const next = grown(slice, shown, extent);
  return next === slice ? trimmed(slice, shown, extent) : next;
}

function grown(slice: Slice, shown: Extent, { firstSeq, lastSeq }: Extent): Slice {
  let { from, to } = slice;
  if (shown.firstSeq - from < EDGE) from = Math.max(firstSeq, Math.min(from, shown.firstSeq - SLICE_REACH));
  if (to - shown.lastSeq < EDGE) to = Math.max(to, shown.lastSeq + SLICE_REACH);
  if (to >= lastSeq) to = Number.POSITIVE_INFINITY;
  return from === slice.from && to === slice.to ? slice : { ...slice, from, to };
}

function trimmed(slice: Slice, shown: Extent, { lastSeq }: Extent): Slice {
  const isTopFar = shown.firstSeq - slice.from > SLICE_REACH_MAX;
  const isEndFar = Math.min(slice.to, lastSeq) - shown.lastSeq > SLICE_REACH_MAX;
  if (!isTopFar && !isEndFar) return slice;
  return {
    ...slice,
    from: isTopFar ? shown.firstSeq - SLICE_REACH : slice.from,
    to: isEndFar ? shown.lastSeq + SLICE_REACH : slice.to,
  };
}
