import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { type Message, type Page, PAGE_BYTES_MAX, type Receipt } from '@parley/contracts';
import { requireMessage, requireView } from '../../messages/visible-message.js';
import { ConversationReader, type MemberReceipt } from '../../ports/conversation-reader.port.js';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { MessageStore } from '../../ports/message-store.port.js';
import { GetReceipts } from './get-receipts.query.js';

const SENDS_PER_READ = 100;
/** How many messages after this one are looked through for its readers' own sends. */
const SENDS_SEARCHED_MAX = 500;

@QueryHandler(GetReceipts)
export class GetReceiptsHandler implements IQueryHandler<GetReceipts> {
  constructor(
    @Inject(ConversationReader) private readonly conversations: ConversationReader,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  /**
   * All members but the sender that may see the message. A time is that of the first receipt that covered the message,
   * or of the member's own next message, which moves its marks too; a mark that neither dates any more (its receipts
   * are older than they are kept) has the message's time, before which it cannot have been set.
   * @throws DomainError `not_found`, `validation_failed` for a cursor of another user or message
   */
  async execute({ userId, conversationId, messageId, query }: GetReceipts): Promise<Page<Receipt>> {
    const view = await requireView(this.conversations, conversationId, userId);
    const message = await requireMessage(this.store, conversationId, view, messageId);
    const at = Date.parse(message.timestamp);
    const { seq, senderId } = message;
    const list = `receipts:${messageId}`;
    const [after = ''] = query.cursor === undefined ? [] : (this.cursors.open(userId, list, query.cursor) as [string]);
    const all = await this.conversations.receipts(conversationId, { seq, senderId, at });
    const rest = all.filter((receipt) => receipt.userId > after).toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
    const receipts = rest.slice(0, query.limit);
    await this.dateByOwnSends(message, view.lastSeq, receipts);
    const items = receipts.map(({ userId: memberId, delivered, deliveredAt, read, readAt }) => ({
      userId: memberId,
      deliveredAt: delivered ? new Date(deliveredAt ?? at).toISOString() : null,
      readAt: read ? new Date(readAt ?? at).toISOString() : null,
    }));
    const last = rest.length > query.limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? this.cursors.seal(userId, list, [last.userId]) : null };
  }

  private async dateByOwnSends(message: Message, lastSeq: number, receipts: MemberReceipt[]): Promise<void> {
    const open = new Map(receipts.filter((receipt) => receipt.read).map((receipt) => [receipt.userId, receipt]));
    const end = Math.min(lastSeq, message.seq + SENDS_SEARCHED_MAX);
    let fromSeq = message.seq + 1;
    while (fromSeq <= end && open.size > 0) {
      const later = await this.store.read({
        conversationId: message.conversationId,
        range: { fromSeq, toSeq: end },
        order: 'oldest-first',
        limit: SENDS_PER_READ,
        bytesMax: PAGE_BYTES_MAX,
      });
      const last = later.at(-1);
      if (!last) return;
      for (const { senderId, timestamp } of later) dateBy(open, senderId, Date.parse(timestamp));
      fromSeq = last.seq + 1;
    }
  }
}

/** Messages come in the order of their times: whose receipt is earlier than this one needs no more looking. */
function dateBy(open: Map<string, MemberReceipt>, senderId: string, at: number): void {
  const receipt = open.get(senderId);
  if (receipt) {
    receipt.deliveredAt = Math.min(receipt.deliveredAt ?? at, at);
    receipt.readAt = Math.min(receipt.readAt ?? at, at);
  }
  for (const { userId, readAt, deliveredAt } of open.values()) {
    if ((readAt ?? Infinity) <= at && (deliveredAt ?? Infinity) <= at) open.delete(userId);
  }
}
