import type { Conversation, Message, SyncAnswer } from '@parley/contracts';
import { contentHash, type HistoryRecorder, type SeenMessage } from './history.js';

interface Membership {
  next: number;
  /** The changes that it was told of by syncs. */
  afterRev: number;
  /** What came too early, by seq. */
  held: Map<number, SeenMessage>;
}

export interface InboxOwner {
  readonly user: string;
  readonly device: string;
}

export function seen({ seq, messageId, senderId, clientMsgId, content }: Message): SeenMessage {
  return { seq, messageId, senderId, clientMsgId, hash: contentHash(content) };
}

/** What a client keeps so as to hand every message on once and in order, whatever arrives; it records what it does. */
export class DeviceInbox {
  /** The latest message of each conversation that was handed on. */
  readonly latest = new Map<string, SeenMessage>();
  /** What the last sync said is gone: live events from before its answer are older than that. */
  readonly goneBySync = new Set<string>();
  private readonly memberships = new Map<string, Membership>();
  /** Left by a sync, and nothing was heard of it live. */
  private readonly leftBySync = new Set<string>();

  constructor(
    private readonly owner: InboxOwner,
    private readonly history: HistoryRecorder,
  ) {}

  get conversations(): string[] {
    return [...this.memberships.keys()];
  }

  nextOf(conversation: string): number | undefined {
    return this.memberships.get(conversation)?.next;
  }

  /** With the rev: who leaves it out is told of all changes ever, page after page of the same ones. */
  cursors(): { conversationId: string; afterSeq: number; afterRev: number }[] {
    return [...this.memberships].map(([conversationId, { next, afterRev }]) => ({
      conversationId,
      afterSeq: next - 1,
      afterRev,
    }));
  }

  belongs({ conversationId, visibleFromSeq }: Conversation): void {
    const membership = this.memberships.get(conversationId);
    if (membership && membership.next >= visibleFromSeq) return;
    // It was away and is back, and nobody told it of the going.
    if (membership) this.leaves(conversationId);
    this.leftBySync.delete(conversationId);
    this.memberships.set(conversationId, { next: visibleFromSeq, afterRev: 0, held: new Map() });
    this.history.record({ type: 'joined', ...this.owner, conversation: conversationId, visibleFromSeq });
  }

  leaves(conversation: string): void {
    const wasHere = this.memberships.delete(conversation);
    if (this.leftBySync.delete(conversation) || wasHere) this.left(conversation);
  }

  private leavesBySync(conversation: string): void {
    if (!this.memberships.delete(conversation)) return;
    this.leftBySync.add(conversation);
    this.left(conversation, { bySync: true });
  }

  private left(conversation: string, how: { bySync?: true } = {}): void {
    this.latest.delete(conversation);
    this.history.record({ type: 'left', ...this.owner, conversation, ...how });
  }

  /** @returns whether something is missing: messages before this one, or the news that its conversation is this user's */
  arrives(message: Message): boolean {
    const conversation = message.conversationId;
    this.history.record({ type: 'arrival', ...this.owner, conversation, message: seen(message) });
    return !this.memberships.has(conversation) || this.takes(conversation, seen(message));
  }

  /** @returns whether there is more to ask for */
  synced({ conversations, removed }: SyncAnswer): boolean {
    let isMore = false;
    for (const conversation of removed) {
      this.leavesBySync(conversation);
      this.goneBySync.add(conversation);
    }
    for (const { conversation, messages, next, hasMore } of conversations) {
      const { conversationId, lastSeq } = conversation;
      this.belongs(conversation);
      const membership = this.memberships.get(conversationId);
      if (membership && next) membership.afterRev = next.afterRev;
      const before = this.nextOf(conversationId) as number;
      for (const message of messages) this.takes(conversationId, seen(message));
      const filled = (this.nextOf(conversationId) as number) - before;
      if (filled > 0)
        this.history.record({ type: 'gap-filled', ...this.owner, conversation: conversationId, messages: filled });
      if (hasMore || (this.nextOf(conversationId) as number) <= lastSeq) isMore = true;
    }
    return isMore;
  }

  /** @returns whether something is missing before this message */
  takes(conversation: string, message: SeenMessage): boolean {
    const membership = this.memberships.get(conversation);
    if (!membership || message.seq < membership.next) return false;
    membership.held.set(message.seq, message);
    for (let ready = membership.held.get(membership.next); ready; ready = membership.held.get(membership.next)) {
      membership.held.delete(ready.seq);
      membership.next += 1;
      this.latest.set(conversation, ready);
      this.history.record({ type: 'delivery', ...this.owner, conversation, message: ready });
    }
    return membership.held.size > 0;
  }
}
