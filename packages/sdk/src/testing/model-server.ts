import { ParleyError } from '../errors.js';
import type { ServerEvent } from '../ports.js';
import type { SyncRequest } from '../sync-engine.js';
import type { PagePlace } from '../timeline-loader.js';
import type {
  Conversation,
  Message,
  MessagePage,
  ReadMark,
  Stored,
  SyncAnswer,
  SyncCursor,
  SyncedConversation,
} from '../wire.js';

const EPOCH = '2026-11-22T10:00:00.000Z';

/**
 * What the contract says about one conversation, in memory and without any fault: consecutive seq and rev, one message
 * for each clientMsgId, sync and history as of now. The tests of the client compare with it.
 */
export class ModelServer {
  readonly messages: Message[] = [];
  readonly conversationId: string;
  name: string | null = 'model';
  rev = 1;
  visibleFromSeq = 1;
  private readSeq = 0;
  /** Told of every lasting change, and whose it was. */
  onEvent: (event: ServerEvent, byUserId: string) => void = () => {};
  private nextId = 1_000;

  constructor(
    readonly userIds: readonly string[],
    conversationId = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
  ) {
    this.conversationId = conversationId;
  }

  post(senderId: string, content: string, clientMsgId: string): Stored {
    const known = this.messages.find((one) => one.senderId === senderId && one.clientMsgId === clientMsgId);
    if (known) return stored(known, true);
    const blank = { contentType: 'text' as const, media: [], replyToMessageId: null, editedAt: null, deletedAt: null };
    const message: Message = {
      ...blank,
      messageId: String(this.nextId++),
      seq: this.messages.length + 1,
      rev: ++this.rev,
      conversationId: this.conversationId,
      senderId,
      content,
      clientMsgId,
      timestamp: EPOCH,
      reactions: [],
    };
    this.messages.push(message);
    if (senderId === this.userIds[0]) this.readSeq = message.seq;
    this.onEvent({ name: 'new_message', payload: message }, senderId);
    return stored(message, false);
  }

  edit(seq: number, content: string): void {
    const message = this.messages[seq - 1];
    if (!message) return;
    const edited = { ...message, content, editedAt: EPOCH, rev: ++this.rev };
    this.messages[seq - 1] = edited;
    this.onEvent({ name: 'message_updated', payload: edited }, message.senderId);
  }

  /** Of the first user. */
  read({ lastReadMessageId }: { lastReadMessageId: string }): ReadMark {
    this.readSeq = Math.max(this.readSeq, this.message(lastReadMessageId).seq);
    const { lastReadSeq, unreadCount } = this.conversation();
    return { lastReadMessageId: this.messages[lastReadSeq - 1]?.messageId ?? null, lastReadSeq, unreadCount };
  }

  rename(name: string): void {
    this.name = name;
    const payload = { conversationId: this.conversationId, rev: ++this.rev, name };
    this.onEvent({ name: 'conversation_updated', payload }, this.userIds[0] ?? '');
  }

  heads(): ServerEvent {
    const { conversationId, rev } = this;
    return { name: 'heads', payload: { heads: [{ conversationId, lastSeq: this.messages.length, lastRev: rev }] } };
  }

  conversation(): Conversation {
    const last = this.messages.at(-1);
    const mark = { lastReadMessageId: null, lastDeliveredMessageId: null };
    const members = this.userIds.map((userId) => ({
      userId,
      displayName: userId,
      role: 'admin' as const,
      ...mark,
      joinedAt: EPOCH,
    }));
    return {
      conversationId: this.conversationId,
      type: 'group',
      name: this.name,
      createdAt: EPOCH,
      createdBy: this.userIds[0] ?? '',
      lastSeq: this.messages.length,
      lastRev: this.rev,
      lastMessage: last ? { ...last, preview: last.content } : null,
      lastActivityAt: EPOCH,
      unreadCount: this.messages.length - this.readSeq,
      lastReadMessageId: this.messages[this.readSeq - 1]?.messageId ?? null,
      lastReadSeq: this.readSeq,
      visibleFromSeq: this.visibleFromSeq,
      memberCount: members.length,
      members,
      role: 'admin',
      settings: { mutedUntil: null, pinned: false, archived: false },
    };
  }

  message(messageId: string): Message {
    const message = this.messages.find((one) => one.messageId === messageId);
    if (!message) throw new ParleyError('not_found', 'No such message', { status: 404 });
    return message;
  }

  /** As the contract says: newest first, with `after` oldest first. */
  history({ before, after, around }: PagePlace, limit: number): MessagePage {
    const { messages } = this;
    const seqOf = (messageId: string): number => this.message(messageId).seq;
    const page = (from: number, to: number): MessagePage => ({
      items: messages.slice(Math.max(0, from - 1), to).reverse(),
      nextCursor: null,
      hasBefore: from > 1,
      hasAfter: to < messages.length,
    });
    if (after !== undefined) {
      const to = Math.min(messages.length, seqOf(after) + limit);
      const newer = page(seqOf(after) + 1, to);
      return { ...newer, items: newer.items.reverse() };
    }
    if (around !== undefined) {
      const newest = Math.min(messages.length, seqOf(around) + limit / 2);
      const oldest = Math.max(1, newest - limit + 1);
      return page(oldest, Math.min(messages.length, oldest + limit - 1));
    }
    const to = before === undefined ? messages.length : seqOf(before) - 1;
    return page(Math.max(1, to - limit + 1), to);
  }

  sync({ since, cursors, limit }: SyncRequest): SyncAnswer {
    const cursor = cursors.find(({ conversationId }) => conversationId === this.conversationId);
    const isChanged = since === undefined || Number(since) < this.rev;
    const isBehind = cursor && (cursor.afterSeq !== this.messages.length || cursor.afterRev !== this.rev);
    const conversations = isChanged || isBehind ? [this.tail(cursor, limit)] : [];
    return { syncedAt: String(this.rev), conversations, removed: [], nextCursor: null };
  }

  private tail(cursor: SyncCursor | undefined, limit: number): SyncedConversation {
    const conversation = this.conversation();
    const { lastSeq, lastRev } = conversation;
    if (!cursor) {
      const next = { afterSeq: 0, afterRev: lastRev };
      return { conversation, messages: [], changes: [], next, hasMore: false, reset: false };
    }
    const { afterSeq, afterRev = 0 } = cursor;
    if (afterSeq > lastSeq || afterRev > lastRev) {
      const next = { afterSeq: 0, afterRev: lastRev };
      return { conversation, messages: [], changes: [], next, hasMore: true, reset: true };
    }
    const messages = this.messages.slice(afterSeq, afterSeq + limit);
    const changed = this.messages.slice(0, afterSeq).filter(({ rev }) => rev > afterRev);
    const changes = changed.sort((a, b) => a.rev - b.rev).slice(0, limit);
    const isChangesEnd = changes.length === changed.length;
    const next = {
      afterSeq: messages.at(-1)?.seq ?? afterSeq,
      afterRev: isChangesEnd ? lastRev : (changes.at(-1)?.rev ?? afterRev),
    };
    const hasMore = !isChangesEnd || next.afterSeq < lastSeq;
    return { conversation, messages, changes, next, hasMore, reset: false };
  }
}

function stored({ messageId, seq, rev, timestamp, clientMsgId }: Message, duplicate: boolean): Stored {
  return { status: 'stored', messageId, seq, rev, timestamp, clientMsgId, duplicate };
}
