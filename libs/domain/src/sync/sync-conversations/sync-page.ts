import { type Conversation, type Message, PAGE_BYTES_MAX, type SyncedConversation } from '@parley/contracts';
import { messageBytes } from '../../paging/page-bytes.js';
import type { ConversationTail } from './conversation-tail.js';

/** The names, numbers and brackets around a conversation and its messages. */
const FRAME_BYTES = 250;

/** An answer that grows until its JSON is full. Its first conversation, and of that one message, always fit. */
export class SyncPage {
  readonly conversations: SyncedConversation[] = [];
  private bytes = 0;

  constructor(private readonly bytesMax: number = PAGE_BYTES_MAX) {}

  /**
   * Adds a conversation with as much of its tail as fits; what does not is told by `hasMore` and `next`.
   * @returns false when the page is full: then nothing was added
   */
  add(conversation: Conversation, tail: ConversationTail): boolean {
    const own = Buffer.byteLength(JSON.stringify(conversation)) + FRAME_BYTES;
    const first = tail.messages[0] ?? tail.changes[0];
    const isFirst = this.conversations.length === 0;
    if (!isFirst && this.bytes + own + (first ? messageBytes(first) + 1 : 0) > this.bytesMax) return false;
    this.bytes += own;
    const messages = this.take(tail.messages, isFirst);
    const changes = this.take(tail.changes, isFirst && messages.length === 0);
    const changesEnd = tail.changesEnd && changes.length === tail.changes.length;
    const afterSeq = messages.at(-1)?.seq ?? tail.afterSeq;
    const afterRev = changesEnd ? conversation.lastRev : (changes.at(-1)?.rev ?? tail.afterRev);
    const hasMore = !changesEnd || messages.length < tail.messages.length || this.isCut(conversation, tail);
    const { reset } = tail;
    this.conversations.push({ conversation, messages, changes, next: { afterSeq, afterRev }, hasMore, reset });
    return true;
  }

  /** Messages were read up to the limit, and there are more. Where none were asked for, none are missing. */
  private isCut({ lastSeq }: Conversation, { messages }: ConversationTail): boolean {
    const last = messages.at(-1);
    return last !== undefined && last.seq < lastSeq;
  }

  private take(messages: Message[], atLeastOne: boolean): Message[] {
    let count = 0;
    for (const message of messages) {
      const bytes = messageBytes(message) + 1;
      if (this.bytes + bytes > this.bytesMax && !(atLeastOne && count === 0)) break;
      this.bytes += bytes;
      count += 1;
    }
    return count === messages.length ? messages : messages.slice(0, count);
  }
}
