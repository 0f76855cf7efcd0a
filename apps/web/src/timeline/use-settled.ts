import { useEffect, useRef, useState } from 'react';
import type { BegunSlice } from './use-slice.js';

/** A list needs some frames to measure its first rows, and to find out that it is not where it begins. */
const SETTLE_FRAMES = 15;
/** On a very busy machine; then its place is what it is. */
const SETTLE_MS_MAX = 5_000;
const AT_END_PX = 80;
/** The message that a list begins with is in this part of the screen, unless the list ends before. */
const UPPER_PART = 0.4;
/** Whoever moves the list decides where it is. */
const MOVES = ['wheel', 'touchstart', 'pointerdown', 'keydown'];

/**
 * Whether a list that begins anew has come to where it begins, and takes it there. Until then its beginning is a place
 * in the list and not yet a message on the screen: older messages that came before would move it to another message.
 * The list goes there by itself, by the sizes that it expects; if it has not measured the rows within 150 ms it stays
 * where that was wrong.
 *
 * @param goThere to where it begins
 */
export function useSettled(
  { run, target }: BegunSlice,
  scroller: React.RefObject<HTMLElement | null>,
  goThere: () => void,
): boolean {
  const [settledRun, setSettledRun] = useState<number | null>(null);
  const begun = useRef({ target, goThere });
  begun.current = { target, goThere };
  useEffect(() => {
    const untilMs = performance.now() + SETTLE_MS_MAX;
    const element = scroller.current;
    let request = 0;
    const stop = (): void => {
      cancelAnimationFrame(request);
      for (const move of MOVES) element?.removeEventListener(move, moved);
    };
    const settle = (): void => {
      stop();
      element?.setAttribute('aria-busy', 'false');
      setSettledRun(run);
    };
    const moved = (): void => {
      if (isListShown(element)) settle();
    };
    const lookAfter = (frames: number): void => {
      request = requestAnimationFrame(() => {
        if (performance.now() < untilMs) {
          if (frames > 0 || !isListShown(element)) return lookAfter(frames - 1);
          if (!isInPlace(element, begun.current.target)) {
            begun.current.goThere();
            return lookAfter(SETTLE_FRAMES);
          }
        }
        settle();
      });
    };
    element?.setAttribute('aria-busy', 'true');
    for (const move of MOVES) element?.addEventListener(move, moved, { passive: true });
    lookAfter(SETTLE_FRAMES);
    return stop;
  }, [run, scroller]);
  return settledRun === run;
}

/** The list keeps its rows invisible while it is on its way, and says so in no other way. */
function isListShown(scroller: HTMLElement | null): boolean {
  const list = scroller?.querySelector('[data-testid="virtuoso-item-list"]');
  return !list || getComputedStyle(list).visibility === 'visible';
}

function isInPlace(scroller: HTMLElement | null, target: BegunSlice['target']): boolean {
  if (!scroller) return true;
  const isAtEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= AT_END_PX;
  if (target === null) return isAtEnd;
  const row = scroller.querySelector(`[data-seq="${target.seq}"]`)?.getBoundingClientRect();
  const { top, bottom, height } = scroller.getBoundingClientRect();
  if (!row || row.top < top || row.top > bottom) return false;
  return target.align === 'center' || isAtEnd || row.top < top + height * UPPER_PART;
}
