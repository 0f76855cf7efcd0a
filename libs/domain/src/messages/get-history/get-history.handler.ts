import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type HistoryQuery, type Message, type MessagePage, PAGE_BYTES_MAX } from '@parley/contracts';
import { ConversationReader, type MemberView } from '../../ports/conversation-reader.port.js';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { linkedMessages } from '../../media/linked-media.js';
import { MediaLinks } from '../../media/media-links.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { requireMessage, requireView } from '../visible-message.js';
import { GetHistory } from './get-history.query.js';
import {
  coveredSeqs,
  fitPage,
  type HistoryWindow,
  newerThan,
  newestWindow,
  olderThan,
  windowAround,
} from './history-window.js';

@QueryHandler(GetHistory)
export class GetHistoryHandler implements IQueryHandler<GetHistory> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
    @Inject(MediaLinks) private readonly links: MediaLinks,
  ) {}

  /**
   * A page that ends early (1 MB) has at least one message, and the cursor to go on. The cursor goes on in the page's
   * own direction: to newer messages after `after`, to older ones otherwise.
   * @throws DomainError `not_found` for the conversation or the message named, `validation_failed` for a foreign cursor
   */
  async execute({ userId, conversationId, query }: GetHistory): Promise<MessagePage> {
    const view = await requireView(this.conversations, conversationId, userId);
    const list = `history:${conversationId}`;
    const window =
      query.cursor === undefined
        ? await this.windowOf(view, conversationId, query)
        : windowFrom(view, this.cursors.open(userId, list, query.cursor));
    const { order } = window;
    const items = fitPage(await this.read(conversationId, window, query.limit), window);
    const { oldest, newest } = coveredSeqs(items, window);
    const hasBefore = oldest > view.visibleFromSeq;
    const hasAfter = newest < view.lastSeq;
    let nextCursor: string | null = null;
    if (items.length > 0) {
      if (order === 'oldest-first' && hasAfter) nextCursor = this.cursors.seal(userId, list, ['newer', newest]);
      if (order === 'newest-first' && hasBefore) nextCursor = this.cursors.seal(userId, list, ['older', oldest]);
    }
    const linked = linkedMessages(items, userId, this.links);
    return { items: linked as MessagePage['items'], nextCursor, hasBefore, hasAfter };
  }

  /** The window's messages that a page can hold: from its beginning, or to both sides of the one that it is about. */
  private async read(conversationId: string, window: HistoryWindow, limit: number): Promise<readonly Message[]> {
    const { fromSeq, toSeq, order, aroundSeq } = window;
    const part = (from: number, to: number, direction = order): Promise<readonly Message[]> =>
      this.store.read({
        conversationId,
        range: { fromSeq: from, toSeq: to },
        order: direction,
        limit,
        bytesMax: PAGE_BYTES_MAX,
      });
    if (fromSeq > toSeq) return [];
    const messages = await part(fromSeq, toSeq);
    const last = messages.at(-1);
    if (aroundSeq === null || !last || last.seq === fromSeq) return messages;
    // Cut, so what is missing may be the very message that was asked for.
    const [newer, older] = await Promise.all([
      part(aroundSeq, toSeq, 'oldest-first'),
      aroundSeq > fromSeq ? part(fromSeq, aroundSeq - 1) : [],
    ]);
    return [...newer.toReversed(), ...older];
  }

  private async windowOf(view: MemberView, conversationId: string, query: HistoryQuery): Promise<HistoryWindow> {
    const seqOf = async (messageId: string): Promise<number> =>
      (await requireMessage(this.store, conversationId, view, messageId)).seq;
    if (query.before !== undefined) return olderThan(view, await seqOf(query.before));
    if (query.after !== undefined) return newerThan(view, await seqOf(query.after));
    if (query.around === undefined) return newestWindow(view);
    if (query.around !== 'first_unread') return windowAround(view, await seqOf(query.around), query.limit);
    const firstUnread = Math.max(view.readSeq + 1, view.visibleFromSeq);
    return firstUnread > view.lastSeq ? newestWindow(view) : windowAround(view, firstUnread, query.limit);
  }
}

function windowFrom(view: MemberView, position: readonly (string | number)[]): HistoryWindow {
  const [direction, seq] = position as ['older' | 'newer', number];
  return direction === 'older' ? olderThan(view, seq) : newerThan(view, seq);
}
