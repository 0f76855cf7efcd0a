import type { Message } from '@parley/contracts';
import { countWithin, stretchWithin } from '../../paging/page-bytes.js';
import type { MemberView } from '../../ports/conversation-reader.port.js';
import type { MessageRead } from '../../ports/message-store.port.js';

/** Which messages a page is cut from. Numbers have no gaps, so the bounds tell what lies outside. */
export interface HistoryWindow {
  fromSeq: number;
  toSeq: number;
  order: MessageRead['order'];
  /** The message that the page is about: it stays when the page ends early. */
  aroundSeq: number | null;
}

type Bounds = Pick<MemberView, 'visibleFromSeq' | 'lastSeq'>;

export function newestWindow({ visibleFromSeq, lastSeq }: Bounds): HistoryWindow {
  return { fromSeq: visibleFromSeq, toSeq: lastSeq, order: 'newest-first', aroundSeq: null };
}

export function olderThan({ visibleFromSeq, lastSeq }: Bounds, seq: number): HistoryWindow {
  return { fromSeq: visibleFromSeq, toSeq: Math.min(seq - 1, lastSeq), order: 'newest-first', aroundSeq: null };
}

export function newerThan({ visibleFromSeq, lastSeq }: Bounds, seq: number): HistoryWindow {
  return { fromSeq: Math.max(seq + 1, visibleFromSeq), toSeq: lastSeq, order: 'oldest-first', aroundSeq: null };
}

/** As many newer ones as older ones; where one side has fewer, the other gives more. */
export function windowAround({ visibleFromSeq, lastSeq }: Bounds, seq: number, limit: number): HistoryWindow {
  const newest = Math.min(lastSeq, seq + Math.floor(limit / 2));
  const fromSeq = Math.max(visibleFromSeq, newest - limit + 1);
  const toSeq = Math.min(lastSeq, fromSeq + limit - 1);
  return { fromSeq, toSeq, order: 'newest-first', aroundSeq: seq };
}

/** What of the read messages goes into the page: it ends early where its JSON would outgrow the limit. */
export function fitPage(messages: readonly Message[], { aroundSeq }: HistoryWindow): readonly Message[] {
  if (aroundSeq === null) {
    const count = countWithin(messages);
    // The very list, when all of it fits: what was encoded for it before serves again.
    return count === messages.length ? messages : messages.slice(0, count);
  }
  const index = messages.findIndex((message) => message.seq === aroundSeq);
  return stretchWithin(messages, Math.max(index, 0));
}

/** The seqs that a page covers. An empty page lies between two messages, at its window's open end. */
export function coveredSeqs(items: readonly Message[], window: HistoryWindow): { oldest: number; newest: number } {
  const first = items[0];
  const last = items.at(-1);
  if (!first || !last) return { oldest: window.fromSeq, newest: window.toSeq };
  return window.order === 'newest-first'
    ? { oldest: last.seq, newest: first.seq }
    : { oldest: first.seq, newest: last.seq };
}
