import { covers, laterMark } from './message-ids.js';
import type { OutboxEntry, SendFailure, Settlement } from './outbox.js';
import type { Conversation, Media, Message, Reaction } from './wire.js';

/**
 * `received`: somebody else's. One's own go from `sending` to `sent` (stored by the server), `delivered` (a device of at
 * least one other member has it) and `read` (at least one other member has read it), or to `failed`.
 */
export type MessageStatus = 'received' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed';

/** A message as a timeline shows it, from the moment it is written. */
export interface TimelineItem {
  /** The same from sending to the end of days: for lists that tell their rows apart by a key. */
  readonly key: string;
  /** Null until the server has stored it. */
  readonly messageId: string | null;
  /** Null until it stands in its place, with everything before it: numbers in a timeline have no gap. */
  readonly seq: number | null;
  readonly senderId: string;
  readonly content: string;
  readonly contentType: Message['contentType'];
  readonly clientMsgId: string;
  /** ISO 8601; of the server once it has stored it. */
  readonly timestamp: string;
  readonly media: readonly Media[];
  readonly replyToMessageId: string | null;
  readonly editedAt: string | null;
  readonly deletedAt: string | null;
  readonly reactions: readonly Reaction[];
  readonly status: MessageStatus;
  /** Only of a `failed` one. */
  readonly failure: SendFailure | null;
}

/** Stored, and not yet in its place because something before it is missing. */
export interface UnplacedMessage {
  readonly entry: OutboxEntry;
  readonly place: Settlement;
}

/** Makes items, and gives the same object, and the same list, again for what did not change. */
export class TimelineItems {
  private readonly made = new WeakMap<Message | OutboxEntry | UnplacedMessage, TimelineItem>();
  /** By what is shown: a timeline that is let go takes its list with it. */
  private readonly lists = new WeakMap<object, readonly TimelineItem[]>();
  /** How far others have read and received, by conversation: that stays true of a member who leaves. */
  private readonly marks = new Map<string, { read: string | null; delivered: string | null }>();

  constructor(private readonly selfId: string) {}

  /** @param shown what the messages are of: the same while they belong together */
  of(
    shown: object,
    conversation: Conversation,
    messages: readonly Message[],
    unplaced: readonly UnplacedMessage[],
    waiting: readonly OutboxEntry[],
  ): readonly TimelineItem[] {
    const { read, delivered } = this.marksOf(conversation);
    const statusOf = ({ senderId, messageId }: Message): MessageStatus => {
      if (senderId !== this.selfId) return 'received';
      if (covers(read, messageId)) return 'read';
      return covers(delivered, messageId) ? 'delivered' : 'sent';
    };
    const items = messages.map((message) => this.placed(message, statusOf(message)));
    for (const one of unplaced)
      items.push(this.once(one, () => ({ ...this.written(one.entry), ...one.place, seq: null, status: 'sent' })));
    for (const entry of waiting) items.push(this.once(entry, () => this.written(entry)));
    const before = this.lists.get(shown);
    if (before?.length === items.length && items.every((item, i) => item === before[i])) return before;
    this.lists.set(shown, items);
    return items;
  }

  /** What follows does not continue what was. */
  forget(conversationId: string): void {
    this.marks.delete(conversationId);
  }

  private marksOf({ conversationId, members }: Conversation): { read: string | null; delivered: string | null } {
    const marks = this.marks.get(conversationId) ?? { read: null, delivered: null };
    for (const { userId, lastReadMessageId, lastDeliveredMessageId } of members) {
      if (userId === this.selfId) continue;
      marks.read = laterMark(marks.read, lastReadMessageId);
      marks.delivered = laterMark(marks.delivered, lastDeliveredMessageId);
    }
    this.marks.set(conversationId, marks);
    return marks;
  }

  private once(source: OutboxEntry | UnplacedMessage, make: () => TimelineItem): TimelineItem {
    const item = this.made.get(source) ?? make();
    this.made.set(source, item);
    return item;
  }

  private placed(message: Message, status: MessageStatus): TimelineItem {
    const known = this.made.get(message);
    if (known?.status === status) return known;
    const { rev: _rev, conversationId: _conversationId, ...shown } = message;
    const item = { ...shown, key: `${message.senderId}:${message.clientMsgId}`, status, failure: null };
    this.made.set(message, item);
    return item;
  }

  private written(entry: OutboxEntry): TimelineItem {
    const { content, contentType, clientMsgId, replyToMessageId, createdAtMs, failure } = entry;
    return {
      key: `${this.selfId}:${clientMsgId}`,
      messageId: null,
      seq: null,
      senderId: this.selfId,
      content,
      contentType,
      clientMsgId,
      timestamp: new Date(createdAtMs).toISOString(),
      media: entry.media ?? [],
      replyToMessageId,
      editedAt: null,
      deletedAt: null,
      reactions: [],
      status: failure ? 'failed' : 'sending',
      failure,
    };
  }
}
