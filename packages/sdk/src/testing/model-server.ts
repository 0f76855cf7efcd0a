import type { ServerEvent } from '../ports.js';
import type { SyncRequest } from '../sync-engine.js';
import type {
  Conversation,
  Message,
  MessagePage,
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
      unreadCount: this.messages.length,
      lastReadMessageId: null,
      lastReadSeq: 0,
      visibleFromSeq: this.visibleFromSeq,
      memberCount: members.length,
      members,
      role: 'admin',
      settings: { mutedUntil: null, pinned: false, archived: false },
    };
  }

  history(before: string | undefined, limit: number): MessagePage {
    const older = this.messages.filter(({ messageId }) => before === undefined || Number(messageId) < Number(before));
    const items = older.slice(-limit).reverse();
    return { items, nextCursor: null, hasBefore: older.length > items.length, hasAfter: before !== undefined };
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
