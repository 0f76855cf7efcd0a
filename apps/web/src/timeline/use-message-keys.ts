import { useRef } from 'react';
import type { VirtuosoHandle } from 'react-virtuoso';

/** A list needs a moment to render what it was scrolled to. */
const RENDER_FRAMES_MAX = 60;

/**
 * The timeline as one stop of the Tab key. Its scroller is that stop and hands the focus on to the message that had it
 * last or, where that is not on the page, to the lowest one on the screen; not the messages themselves, of which the list
 * keeps only some on the page. From there the arrow keys, Home and End go from message to message, Tab to the toolbar.
 */
export function useMessageKeys(list: React.RefObject<VirtuosoHandle | null>, showLatest: () => void) {
  const lastSeq = useRef<string | undefined>(undefined);
  const onFocus = (event: React.FocusEvent<HTMLElement>): void => {
    const scroller = event.currentTarget;
    if (event.target !== scroller) {
      lastSeq.current = event.target.closest<HTMLElement>('[data-seq]')?.dataset['seq'] ?? lastSeq.current;
      return;
    }
    // A click on the ground between messages means none of them.
    if (scroller.matches(':focus-visible')) focusOn(lastOrLowest(scroller, lastSeq.current));
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>): void => {
    const scroller = event.currentTarget;
    const article = event.target as HTMLElement;
    if (article.tagName !== 'ARTICLE') return;
    if (event.key === 'Tab' && event.shiftKey) return skipOnce(scroller);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const articles = articlesOf(scroller);
    const at = articles.indexOf(article);
    if (event.key === 'ArrowUp') focusOn(articles[at - 1]);
    else if (event.key === 'ArrowDown') focusOn(articles[at + 1]);
    else if (event.key === 'Home') {
      list.current?.scrollToIndex({ index: 0, align: 'start', behavior: 'auto' });
      whenRendered(scroller, isAtStart, (shown) => focusOn(shown[0]));
    } else if (event.key === 'End') {
      showLatest();
      whenRendered(scroller, isAtEnd, (shown) => focusOn(shown.at(-1)));
    } else return;
    event.preventDefault();
  };
  return { onFocus, onKeyDown };
}

function articlesOf(scroller: HTMLElement): HTMLElement[] {
  return [...scroller.querySelectorAll<HTMLElement>('article')];
}

function focusOn(article: HTMLElement | undefined): void {
  article?.focus({ preventScroll: true });
  article?.scrollIntoView({ block: 'nearest' });
}

function lastOrLowest(scroller: HTMLElement, lastSeq: string | undefined): HTMLElement | undefined {
  const last = lastSeq === undefined ? null : scroller.querySelector<HTMLElement>(`[data-seq="${lastSeq}"] article`);
  const { bottom } = scroller.getBoundingClientRect();
  const isSeen = (article: HTMLElement): boolean => article.getBoundingClientRect().top < bottom;
  return last ?? articlesOf(scroller).findLast(isSeen);
}

/**
 * Backwards out of a message leads past the scroller, which would hand the focus back. It is a stop again as the focus
 * leaves: a timer may come after the next key. The timer is for the focus that has nowhere to go.
 */
function skipOnce(scroller: HTMLElement): void {
  const stopAgain = (): void => {
    scroller.tabIndex = 0;
  };
  scroller.tabIndex = -1;
  scroller.addEventListener('focusout', stopAgain, { once: true });
  setTimeout(stopAgain);
}

const isAtStart = ({ scrollTop }: HTMLElement): boolean => scrollTop <= 1;
const isAtEnd = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement): boolean =>
  scrollHeight - scrollTop - clientHeight <= 80;

function whenRendered(
  scroller: HTMLElement,
  isThere: (scroller: HTMLElement) => boolean,
  act: (shown: HTMLElement[]) => void,
  frames = RENDER_FRAMES_MAX,
): void {
  requestAnimationFrame(() => {
    const shown = articlesOf(scroller);
    if (frames > 0 && (!isThere(scroller) || shown.length === 0)) whenRendered(scroller, isThere, act, frames - 1);
    else act(shown);
  });
}
