import { previewOf } from '../conversation-changes.js';
import { ParleyError } from '../errors.js';
import { laterMark } from '../message-ids.js';
import type { ServerEvent } from '../ports.js';
import type { SyncRequest } from '../sync-engine.js';
import type { PagePlace } from '../timeline-loader.js';
import type {
  Conversation,
  Member,
  Message,
  MessagePage,
  ReadMark,
  Role,
  Stored,
  SyncAnswer,
  SyncCursor,
  SyncedConversation,
} from '../wire.js';

const EPOCH = '2026-11-22T10:00:00.000Z';
type Mark = 'lastReadMessageId' | 'lastDeliveredMessageId';

/**
 * What the contract says about one conversation as its first user sees it, in memory and without any fault: consecutive
 * seq and rev, one message for each clientMsgId, sync and history as of now. The tests of the client compare with it.
 */
export class ModelServer {
  readonly messages: Message[] = [];
  readonly conversationId: string;
  name: string | null = 'model';
  rev = 1;
  visibleFromSeq = 1;
  /** Whether the first user belongs to it. */
  isMember = true;
  /** Told of every lasting change and every mark, and by whom it was made: a user, or one device of the first one. */
  onEvent: (event: ServerEvent, by: string) => void = () => {};
  private readonly viewerId: string;
  private members: Member[];
  private readSeq = 0;
  private nextId = 1_000;
  private joinings = 0;
  /** Grows with whatever a sync has to tell; `since` is a value of it. */
  private position = 1;
  /** Since when the first user does not belong to it. */
  private removedAt = 0;

  constructor(
    readonly userIds: readonly string[],
    conversationId = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
  ) {
    this.conversationId = conversationId;
    this.viewerId = userIds[0] ?? '';
    this.members = userIds.map((userId) => this.joined(userId));
  }

  /** @param by of the event: the user, unless it matters on which device. @throws ParleyError for somebody else */
  post(senderId: string, content: string, clientMsgId: string, by = senderId): Stored {
    const known = this.messages.find((one) => one.senderId === senderId && one.clientMsgId === clientMsgId);
    if (known) return stored(known, true);
    if (senderId === this.viewerId && !this.isMember) throw notFound();
    const blank = { contentType: 'text' as const, media: [], replyToMessageId: null, editedAt: null, deletedAt: null };
    const message: Message = {
      ...blank,
      messageId: String(this.nextId++),
      seq: this.messages.length + 1,
      rev: this.nextRev(),
      conversationId: this.conversationId,
      senderId,
      content,
      clientMsgId,
      timestamp: EPOCH,
      reactions: [],
    };
    this.messages.push(message);
    if (senderId === this.viewerId) this.readSeq = message.seq;
    const marks = { lastReadMessageId: message.messageId, lastDeliveredMessageId: message.messageId };
    this.members = this.members.map((one) => (one.userId === senderId ? { ...one, ...marks } : one));
    this.onEvent({ name: 'new_message', payload: message }, by);
    return stored(message, false);
  }

  edit(seq: number, content: string): Message | null {
    return this.change(seq, (message) => (message.deletedAt === null ? { content, editedAt: EPOCH } : null));
  }

  delete(seq: number): Message | null {
    return this.change(seq, ({ deletedAt }) =>
      deletedAt === null ? { content: '', deletedAt: EPOCH, reactions: [] } : null,
    );
  }

  /** Adds the reaction, or takes it away where it is. */
  react(seq: number, userId: string, emoji: string): Message | null {
    return this.change(seq, ({ deletedAt, reactions }) => {
      if (deletedAt !== null) return null;
      const isThere = reactions.some((one) => one.emoji === emoji && one.userIds.includes(userId));
      const others = reactions.filter((one) => one.emoji !== emoji);
      return { reactions: isThere ? others : [...others, { emoji, userIds: [userId] }] };
    });
  }

  private change(seq: number, changes: (message: Message) => Partial<Message> | null): Message | null {
    const message = this.messages[seq - 1];
    const changed = message && changes(message);
    if (!message || !changed) return null;
    const next = { ...message, ...changed, rev: this.nextRev() };
    this.messages[seq - 1] = next;
    this.onEvent({ name: 'message_updated', payload: next }, message.senderId);
    return next;
  }

  /** Of the first user, by one of its devices. @throws ParleyError */
  read({ lastReadMessageId }: { lastReadMessageId: string }, by = this.viewerId): ReadMark {
    const { seq } = this.message(lastReadMessageId);
    if (seq > this.readSeq) {
      this.readSeq = seq;
      this.position++;
      const { conversationId, viewerId } = this;
      this.onEvent({ name: 'read_receipt', payload: { conversationId, userId: viewerId, lastReadMessageId } }, by);
    }
    const { lastReadSeq, unreadCount } = this.conversation();
    return { lastReadMessageId: this.messages[lastReadSeq - 1]?.messageId ?? null, lastReadSeq, unreadCount };
  }

  /** Another member has read, or only received, up to a message. */
  mark(userId: string, kind: Mark, seq: number): void {
    const member = this.members.find((one) => one.userId === userId);
    const messageId = this.messages[seq - 1]?.messageId;
    if (!member || messageId === undefined || laterMark(member[kind], messageId) === member[kind]) return;
    const delivered = laterMark(member.lastDeliveredMessageId, messageId);
    const marked = { ...member, [kind]: messageId, lastDeliveredMessageId: delivered };
    this.members = this.members.map((one) => (one === member ? marked : one));
    this.position++;
    const place = { conversationId: this.conversationId, userId };
    if (kind === 'lastReadMessageId')
      this.onEvent({ name: 'read_receipt', payload: { ...place, lastReadMessageId: messageId } }, userId);
    else this.onEvent({ name: 'delivery_receipt', payload: { ...place, lastDeliveredMessageId: messageId } }, userId);
  }

  /** The same, so many messages further than it was; not past the last one. */
  advance(userId: string, kind: Mark, by: number): void {
    const before = this.members.find((one) => one.userId === userId)?.[kind];
    const seq = this.messages.find(({ messageId }) => messageId === before)?.seq ?? 0;
    this.mark(userId, kind, Math.min(this.messages.length, seq + by));
  }

  rename(name: string): void {
    this.name = name;
    const payload = { conversationId: this.conversationId, rev: this.nextRev(), name };
    this.onEvent({ name: 'conversation_updated', payload }, this.viewerId);
  }

  /** Takes somebody in or out; for the first user it is another event than for the others. */
  changeMember(userId: string): void {
    const known = this.members.find((one) => one.userId === userId);
    const rev = this.nextRev();
    const added = known ? [] : [this.joined(userId)];
    this.members = known ? this.members.filter((one) => one !== known) : [...this.members, ...added];
    const { conversationId } = this;
    if (userId !== this.viewerId) {
      const payload = { conversationId, rev, added, removed: known ? [userId] : [], roles: {} };
      return this.onEvent({ name: 'members_changed', payload }, userId);
    }
    if (known) {
      this.isMember = false;
      this.removedAt = this.position;
      return this.onEvent({ name: 'conversation_removed', payload: { conversationId } }, userId);
    }
    this.isMember = true;
    this.visibleFromSeq = this.messages.length + 1;
    this.readSeq = this.messages.length;
    this.onEvent({ name: 'conversation_created', payload: this.conversation() }, userId);
  }

  setRole(userId: string, role: Role): void {
    if (!this.members.some((one) => one.userId === userId && one.role !== role)) return;
    this.members = this.members.map((one) => (one.userId === userId ? { ...one, role } : one));
    const payload = { conversationId: this.conversationId, rev: this.nextRev(), added: [], removed: [] };
    this.onEvent({ name: 'members_changed', payload: { ...payload, roles: { [userId]: role } } }, userId);
  }

  /** As from a back-up: the last messages were never written, and nobody is told. @returns their clientMsgIds */
  loseLast(count: number): string[] {
    const lost = this.messages.splice(Math.max(0, this.visibleFromSeq - 1, this.messages.length - count));
    this.rev = Math.max(1, this.rev - lost.length);
    this.messages.forEach((message, i) => {
      if (message.rev > this.rev) this.messages[i] = { ...message, rev: this.rev };
    });
    this.readSeq = Math.min(this.readSeq, this.messages.length);
    const last = this.messages.at(-1)?.messageId ?? null;
    const kept = (mark: string | null) => (laterMark(mark, last) === last ? mark : last);
    this.members = this.members.map((one) => ({
      ...one,
      lastReadMessageId: kept(one.lastReadMessageId),
      lastDeliveredMessageId: kept(one.lastDeliveredMessageId),
    }));
    this.position++;
    return lost.map(({ clientMsgId }) => clientMsgId);
  }

  private nextRev(): number {
    this.position++;
    return ++this.rev;
  }

  private joined(userId: string): Member {
    const joinedAt = new Date(Date.parse(EPOCH) + this.joinings++).toISOString();
    const marks = { lastReadMessageId: null, lastDeliveredMessageId: null };
    return { userId, displayName: userId, role: 'admin', joinedAt, ...marks };
  }

  heads(): ServerEvent {
    const { conversationId, rev } = this;
    return { name: 'heads', payload: { heads: [{ conversationId, lastSeq: this.messages.length, lastRev: rev }] } };
  }

  conversation(): Conversation {
    const last = this.messages.length >= this.visibleFromSeq ? this.messages.at(-1) : undefined;
    return {
      conversationId: this.conversationId,
      type: 'group',
      name: this.name,
      createdAt: EPOCH,
      createdBy: this.viewerId,
      lastSeq: this.messages.length,
      lastRev: this.rev,
      lastMessage: last ? { ...last, preview: previewOf(last) } : null,
      lastActivityAt: EPOCH,
      unreadCount: this.messages.length - this.readSeq,
      lastReadMessageId: this.messages[this.readSeq - 1]?.messageId ?? null,
      lastReadSeq: this.readSeq,
      visibleFromSeq: this.visibleFromSeq,
      memberCount: this.members.length,
      members: this.members,
      role: this.members.find(({ userId }) => userId === this.viewerId)?.role ?? 'member',
      settings: { mutedUntil: null, pinned: false, archived: false },
    };
  }

  /** @throws ParleyError for one that the first user may not see */
  message(messageId: string): Message {
    const message = this.messages.find((one) => one.messageId === messageId);
    if (!message || !this.isMember || message.seq < this.visibleFromSeq) throw notFound();
    return message;
  }

  /** As the contract says: newest first, with `after` oldest first. */
  history({ before, after, around }: PagePlace, limit: number): MessagePage {
    if (!this.isMember) throw notFound();
    const { messages, visibleFromSeq } = this;
    const seqOf = (messageId: string): number => this.message(messageId).seq;
    const page = (from: number, to: number): MessagePage => ({
      items: messages.slice(Math.max(visibleFromSeq, from) - 1, to).reverse(),
      nextCursor: null,
      hasBefore: from > visibleFromSeq,
      hasAfter: to < messages.length,
    });
    if (after !== undefined) {
      const to = Math.min(messages.length, seqOf(after) + limit);
      const newer = page(seqOf(after) + 1, to);
      return { ...newer, items: newer.items.reverse() };
    }
    if (around !== undefined) {
      const newest = Math.min(messages.length, seqOf(around) + limit / 2);
      const oldest = Math.max(visibleFromSeq, newest - limit + 1);
      return page(oldest, Math.min(messages.length, oldest + limit - 1));
    }
    const to = before === undefined ? messages.length : seqOf(before) - 1;
    return page(Math.max(visibleFromSeq, to - limit + 1), to);
  }

  sync({ since, cursors, limit }: SyncRequest): SyncAnswer {
    const cursor = cursors.find(({ conversationId }) => conversationId === this.conversationId);
    const isGone = !this.isMember && (cursor !== undefined || (since !== undefined && Number(since) < this.removedAt));
    const isChanged = since === undefined || Number(since) < this.position;
    const isBehind = cursor && (cursor.afterSeq !== this.messages.length || cursor.afterRev !== this.rev);
    const isTold = this.isMember && (isChanged || isBehind);
    return {
      syncedAt: String(this.position),
      conversations: isTold ? [this.tail(cursor, limit)] : [],
      removed: isGone ? [this.conversationId] : [],
      nextCursor: null,
    };
  }

  private tail(cursor: SyncCursor | undefined, limit: number): SyncedConversation {
    const conversation = this.conversation();
    const { lastSeq, lastRev, visibleFromSeq } = conversation;
    const blank = { conversation, messages: [], changes: [] };
    const next = { afterSeq: visibleFromSeq - 1, afterRev: lastRev };
    if (!cursor) return { ...blank, next, hasMore: false, reset: false };
    const { afterSeq, afterRev = 0 } = cursor;
    if (afterSeq > lastSeq || afterRev > lastRev || afterSeq < visibleFromSeq - 1)
      return { ...blank, next, hasMore: true, reset: true };
    const messages = this.messages.slice(afterSeq, afterSeq + limit);
    const changed = this.messages.slice(visibleFromSeq - 1, afterSeq).filter(({ rev }) => rev > afterRev);
    const changes = changed.sort((a, b) => a.rev - b.rev).slice(0, limit);
    const isChangesEnd = changes.length === changed.length;
    const following = {
      afterSeq: messages.at(-1)?.seq ?? afterSeq,
      afterRev: isChangesEnd ? lastRev : (changes.at(-1)?.rev ?? afterRev),
    };
    const hasMore = !isChangesEnd || following.afterSeq < lastSeq;
    return { conversation, messages, changes, next: following, hasMore, reset: false };
  }
}

function notFound(): ParleyError {
  return new ParleyError('not_found', 'No such message or conversation', { status: 404 });
}

function stored({ messageId, seq, rev, timestamp, clientMsgId }: Message, duplicate: boolean): Stored {
  return { status: 'stored', messageId, seq, rev, timestamp, clientMsgId, duplicate };
}
