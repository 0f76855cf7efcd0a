import { newerOf, previewOf, withMembers, withMessage, withReadMark } from './conversation-changes.js';
import { covers, laterMark } from './message-ids.js';
import { TimelineWindow } from './timeline-window.js';
import type {
  Conversation,
  Member,
  Message,
  MessagePage,
  ServerEventPayload,
  SyncCursor,
  SyncedConversation,
} from './wire.js';

/** Revisions that may wait for one that is missing. More say that much was lost: they are fetched instead. */
const AHEAD_EVENTS_MAX = 1_000;

/** A timeline that lacks more than this is loaded anew from its end. */
const CATCH_UP_MESSAGES_MAX = 5_000;

/** Messages kept beside the timeline because something in it refers to them. */
const LOOKED_UP_MESSAGES_MAX = 500;

type Page = Pick<MessagePage, 'items' | 'hasBefore' | 'hasAfter'>;
/** A conversation as the server read it, and what a sync tells beside it. */
export type Snapshot = Pick<SyncedConversation, 'conversation'> & Partial<SyncedConversation>;

/** A lasting change of a conversation, in the order of `rev`. */
export type RevisionEvent =
  | { readonly kind: 'message' | 'change'; readonly rev: number; readonly message: Message }
  | { readonly kind: 'members'; readonly rev: number; readonly change: ServerEventPayload<'members_changed'> }
  | { readonly kind: 'name'; readonly rev: number; readonly name: string | null };

/** Why a timeline begins anew instead of going on. */
export type DiscontinuityReason = 'reset' | 'rejoined' | 'too_far_behind';

export type Reception = 'applied' | 'known' | 'ahead';

/**
 * What a client knows of one conversation, whatever order its news comes in. Revisions are applied one after the other;
 * one that comes early waits. `rev` says up to where nothing is missing. Pure: it knows no clock and no network.
 */
export class ConversationTrack {
  conversation: Conversation;
  /** Every revision up to this one is in what is shown. */
  rev: number;
  window: TimelineWindow | null = null;
  /** The part around a message that was jumped to, while it does not reach up to `window`; it is shown instead. */
  detached: TimelineWindow | null = null;
  /** True while a sync that names it is under way: what comes live waits for its end. */
  catchingUp = false;
  private readonly ahead = new Map<number, RevisionEvent>();
  /** How far a sync of several pages has come with changes of older messages. */
  private partialRev: number | null = null;
  /** It is known that something is missing, and not yet what. */
  private isBehind = false;
  /** The furthest revision that the server has told of. */
  private heardRev = 0;
  /** The user's own mark, told of another device before the message that it is on. */
  private readAhead: string | null = null;
  /** Pages of history under way, and what changed meanwhile of messages that may be on them in an older version. */
  private loads = 0;
  private isOpening = false;
  private readonly changedMeanwhile = new Map<string, Message>();
  /** Messages that something shown refers to, such as the ones that were replied to; kept up to date like the rest. */
  private readonly lookedUp = new Map<string, Message>();

  constructor(
    private readonly selfId: string,
    conversation: Conversation,
  ) {
    this.conversation = conversation;
    this.rev = conversation.lastRev;
  }

  get id(): string {
    return this.conversation.conversationId;
  }

  /** Something is missing that will not come by itself, or may not. */
  get needsSync(): boolean {
    // Its first page is under way: what lies behind that is asked for when there is a place to go on from.
    if (this.isOpening) return false;
    const told = Math.max(this.heardRev, this.conversation.lastRev);
    const lacks = this.isBehind || this.ahead.size > 0 || this.readAhead !== null;
    return lacks || told > this.rev;
  }

  /** What a timeline shows of it. */
  get shown(): TimelineWindow | null {
    return this.detached ?? this.window;
  }

  /** A message that is here, in its latest version. */
  find(messageId: string): Message | undefined {
    return this.window?.find(messageId) ?? this.detached?.find(messageId) ?? this.lookedUp.get(messageId);
  }

  /** Undefined when the message is not among those that are here. */
  seqOf(messageId: string): number | undefined {
    const { lastMessage } = this.conversation;
    return this.find(messageId)?.seq ?? (lastMessage?.messageId === messageId ? lastMessage.seq : undefined);
  }

  /** What a sync is to name. */
  get cursor(): SyncCursor {
    const afterSeq = this.window ? this.window.tailSeq : this.conversation.lastSeq;
    return { conversationId: this.id, afterSeq, afterRev: this.partialRev ?? this.rev };
  }

  receive(event: RevisionEvent): Reception {
    if (event.rev <= this.rev) return 'known';
    if (this.ahead.size >= AHEAD_EVENTS_MAX) {
      this.ahead.clear();
      this.heardOf(event.rev);
    }
    if (!this.ahead.has(event.rev)) this.ahead.set(event.rev, event);
    if (this.catchingUp) return 'ahead';
    this.applyWaiting();
    return this.rev >= event.rev ? 'applied' : 'ahead';
  }

  /** The same version of a message as it is told now; a newer one comes by itself. */
  renew(message: Message): void {
    this.window?.renew(message);
    this.detached?.renew(message);
    if (this.lookedUp.get(message.messageId)?.rev === message.rev) this.lookedUp.set(message.messageId, message);
  }

  /** The server's own word on how far the conversation has come. */
  heardOf(lastRev: number): void {
    this.heardRev = Math.max(this.heardRev, lastRev);
  }

  /**
   * Takes a conversation as the server read it, and what followed the cursor if the sync named one.
   * @returns why what the timeline shows cannot be continued and has to be loaded again, or null
   */
  takeSnapshot(synced: Snapshot, named: boolean): DiscontinuityReason | null {
    const broken = this.discontinuityOf(synced, named);
    this.conversation = broken === 'reset' ? synced.conversation : newerOf(this.conversation, synced.conversation);
    if (covers(this.conversation.lastReadMessageId, this.readAhead ?? '0')) this.readAhead = null;
    if (broken) {
      this.dropWindow();
      this.heardRev = 0;
      this.rev = synced.conversation.lastRev;
      return broken;
    }
    if (!this.window) {
      // While its first page is under way the page is taken up at `rev`: it must not move past what will be on it.
      if (!this.isOpening) {
        // What changed up to there was not asked for.
        if (synced.conversation.lastRev > this.rev) this.lookedUp.clear();
        this.advanceTo(synced.conversation.lastRev);
      }
      return null;
    }
    if (named && synced.next) this.takeTail(this.window, synced as SyncedConversation);
    return null;
  }

  private discontinuityOf({ conversation, reset }: Snapshot, named: boolean): DiscontinuityReason | null {
    const { visibleFromSeq, lastSeq } = conversation;
    const isBack = visibleFromSeq > this.conversation.visibleFromSeq;
    if (isBack && this.window && this.window.firstSeq < visibleFromSeq) return 'rejoined';
    if (named && reset === true) return 'reset';
    if (!this.window) return null;
    return lastSeq - this.window.tailSeq > CATCH_UP_MESSAGES_MAX ? 'too_far_behind' : null;
  }

  private takeTail(window: TimelineWindow, { messages, changes, next, hasMore }: SyncedConversation): void {
    let isWhole = true;
    for (const message of messages) isWhole = window.take(message) && isWhole;
    for (const message of changes) this.update(message);
    if (!isWhole) this.isBehind = true;
    else if (hasMore) this.partialRev = next.afterRev;
    else this.advanceTo(next.afterRev);
  }

  /** A sync named it, and the server had nothing to tell beyond what is here. */
  nothingFollows(): void {
    this.partialRev = null;
    this.readAhead = null;
    this.isBehind = false;
  }

  /** Nothing up to `rev` is missing any more. */
  private advanceTo(rev: number): void {
    this.partialRev = null;
    this.isBehind = false;
    this.rev = Math.max(this.rev, rev);
    for (const waiting of this.ahead.keys()) if (waiting <= this.rev) this.ahead.delete(waiting);
    if (!this.catchingUp) this.applyWaiting();
  }

  /** The sync that named it has ended, well or not: what came meanwhile is taken up. */
  endCatchUp(): void {
    this.catchingUp = false;
    this.applyWaiting();
  }

  private applyWaiting(): void {
    for (let event = this.ahead.get(this.rev + 1); event; event = this.ahead.get(this.rev + 1)) {
      if (event.kind === 'message' && this.window && !this.window.take(event.message)) {
        this.isBehind = true;
        return;
      }
      this.ahead.delete(event.rev);
      this.rev = event.rev;
      this.apply(event);
    }
  }

  private apply(event: RevisionEvent): void {
    if (event.kind === 'message' || event.kind === 'change') this.update(event.message);
    if (event.rev > this.conversation.lastRev) this.conversation = this.withChange(event);
    if (this.readAhead !== null) this.readElsewhere(this.readAhead);
  }

  private update(message: Message): void {
    this.window?.take(message);
    this.detached?.refresh(message);
    if ((this.lookedUp.get(message.messageId)?.rev ?? Infinity) < message.rev)
      this.lookedUp.set(message.messageId, message);
    if (this.loads > 0) this.changedMeanwhile.set(message.messageId, message);
  }

  private withChange(event: RevisionEvent): Conversation {
    const conversation = { ...this.conversation, lastRev: event.rev };
    switch (event.kind) {
      case 'name':
        return { ...conversation, name: event.name };
      case 'members':
        return withMembers(conversation, event.change, this.selfId);
      case 'change':
        return conversation.lastMessage?.messageId === event.message.messageId
          ? { ...conversation, lastMessage: { ...conversation.lastMessage, preview: previewOf(event.message) } }
          : conversation;
      case 'message':
        return withMessage(conversation, event.message, this.selfId);
    }
  }

  /** A page of history is asked for: from now on no change may be missed that it does not show yet. */
  beginLoad(): void {
    this.loads++;
  }

  /** The newest page is asked for. */
  beginOpening(): void {
    this.isOpening = true;
    this.beginLoad();
  }

  /** The newest page came, newest first. */
  openWith(page: Page): void {
    const messages = [...page.items].reverse();
    const window = new TimelineWindow(messages, page.hasBefore, this.conversation.visibleFromSeq - 1);
    this.window = window;
    const newer = [...this.changedMeanwhile.values()].sort((a, b) => a.seq - b.seq);
    for (const message of newer) if (!window.take(message)) this.isBehind = true;
    if (window.tailSeq < this.appliedSeq) this.isBehind = true;
    this.endOpening();
  }

  /** The page before the first message that is shown came, newest first. */
  extendBefore(page: Page): void {
    this.shown?.prepend([...page.items].reverse(), page.hasBefore);
    this.endPage();
  }

  /** The page after the last message of the detached part came, oldest first. */
  extendAfter(page: Page): void {
    this.detached?.append(page.items, page.hasAfter);
    this.endPage();
  }

  /** A page around a message came, newest first: it is shown instead of what was. */
  showAround(page: Page): void {
    const messages = [...page.items].reverse();
    this.detached = new TimelineWindow(messages, page.hasBefore, (messages[0]?.seq ?? 1) - 1, true);
    this.endPage();
  }

  /** Shows the live end again. */
  attach(): void {
    this.detached = null;
  }

  /** A message that was asked for by itself came. */
  keepLookedUp(message: Message): void {
    const latest = this.changedMeanwhile.get(message.messageId) ?? message;
    this.lookedUp.delete(message.messageId);
    this.lookedUp.set(message.messageId, latest.rev > message.rev ? latest : message);
    const oldest = this.lookedUp.keys().next().value;
    if (this.lookedUp.size > LOOKED_UP_MESSAGES_MAX && oldest !== undefined) this.lookedUp.delete(oldest);
    this.endLoad();
  }

  private endPage(): void {
    for (const message of this.changedMeanwhile.values()) this.shown?.refresh(message);
    this.endLoad();
    this.join();
  }

  /** What reaches the live part becomes one with it: nothing of what is shown moves. */
  private join(): void {
    const { detached, window } = this;
    if (!detached || !window || detached.tailSeq < window.firstSeq - 1) return;
    for (const message of detached.items) window.refresh(message);
    if (detached.firstSeq < window.firstSeq) window.prepend(detached.items, detached.hasBefore);
    this.detached = null;
  }

  /** The newest page has come or will not come. */
  endOpening(): void {
    this.isOpening = false;
    this.endLoad();
  }

  /** A page that was asked for has come or will not come. */
  endLoad(): void {
    this.loads = Math.max(0, this.loads - 1);
    if (this.loads === 0) this.changedMeanwhile.clear();
  }

  private get appliedSeq(): number {
    return this.conversation.lastRev <= this.rev ? this.conversation.lastSeq : 0;
  }

  /** Takes up a window that was kept from an earlier run, which may lag behind; sync brings what it lacks. */
  restore(window: TimelineWindow, rev: number): void {
    this.window = window;
    this.rev = Math.min(this.rev, rev);
  }

  /** Forgets the messages; what is known of the conversation stays. */
  dropWindow(): void {
    this.window = null;
    this.detached = null;
    this.lookedUp.clear();
    this.ahead.clear();
    this.partialRev = null;
    this.readAhead = null;
    this.isBehind = false;
  }

  /** Marks only move forward. @returns whether this one did */
  mark(userId: string, kind: 'lastReadMessageId' | 'lastDeliveredMessageId', messageId: string): boolean {
    const members = this.conversation.members;
    const index = members.findIndex((member) => member.userId === userId);
    const member = members[index];
    if (!member || laterMark(member[kind], messageId) === member[kind]) return false;
    const marked: Member = { ...member, [kind]: messageId };
    // Who has read a message has received it.
    if (kind === 'lastReadMessageId')
      marked.lastDeliveredMessageId = laterMark(member.lastDeliveredMessageId, messageId);
    this.conversation = { ...this.conversation, members: members.map((one, i) => (i === index ? marked : one)) };
    return true;
  }

  /** The caller's own mark, as another device set it: on a message that may not be here yet. @returns whether it moved */
  readElsewhere(messageId: string): boolean {
    if (covers(this.conversation.lastReadMessageId, messageId)) return false;
    const seq = this.seqOf(messageId);
    if (seq === undefined) this.readAhead = laterMark(this.readAhead, messageId);
    else if (covers(messageId, this.readAhead ?? messageId)) this.readAhead = null;
    return seq !== undefined && this.markOwnRead(messageId, seq);
  }

  /** The caller's own mark, as an answer or a look at the window gives it. */
  markOwnRead(lastReadMessageId: string, lastReadSeq: number): boolean {
    if (lastReadSeq <= this.conversation.lastReadSeq) return false;
    this.conversation = withReadMark(this.conversation, lastReadMessageId, lastReadSeq);
    return true;
  }
}
