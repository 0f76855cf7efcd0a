import type { ConversationTrack } from './conversation-track.js';
import type { OutboxEntry, Settlement } from './outbox.js';
import type { UnplacedMessage } from './timeline-items.js';
import type { Message } from './wire.js';

/** Of each conversation: one that nobody looks at has nowhere to place what is sent there. */
const UNPLACED_MESSAGES_MAX = 100;

/** The user's own messages between the outbox and their place in a timeline. */
export class OwnMessages {
  private readonly unplaced = new Map<string, UnplacedMessage[]>();

  constructor(private readonly selfId: string) {}

  /** Stored, and not yet in their place because something before them is missing. */
  unplacedOf(conversationId: string): readonly UnplacedMessage[] {
    return this.unplaced.get(conversationId) ?? [];
  }

  /** Keeps one where its answer came before what precedes it. */
  stored({ id, window }: ConversationTrack, entry: OutboxEntry, place: Settlement): void {
    if (window && place.seq <= window.tailSeq) return;
    const { messageId, seq, rev, timestamp } = place;
    const all = [...this.unplacedOf(id), { entry, place: { messageId, seq, rev, timestamp } }];
    this.unplaced.set(id, all.slice(-UNPLACED_MESSAGES_MAX));
  }

  /** Lets go of those that have come to stand in their place. */
  placed({ id, window }: ConversationTrack): void {
    const rest = this.unplacedOf(id).filter(({ place }) => !window || place.seq > window.tailSeq);
    if (rest.length > 0) this.unplaced.set(id, rest);
    else this.unplaced.delete(id);
  }

  forget(conversationId: string): void {
    this.unplaced.delete(conversationId);
  }

  /** Those of some entries that the timeline does not show as stored. */
  unseen({ window }: ConversationTrack, waiting: readonly OutboxEntry[]): readonly OutboxEntry[] {
    if (waiting.length === 0 || !window) return waiting;
    const own = window.items.filter(({ senderId }) => senderId === this.selfId);
    const seen = new Set(own.map(({ clientMsgId }) => clientMsgId));
    return waiting.filter(({ clientMsgId }) => !seen.has(clientMsgId));
  }

  /** As the server has it right after it was stored. Not of one with media: only the server knows what they look like. */
  messageOf(entry: OutboxEntry, { messageId, seq, rev, timestamp }: Settlement): Message {
    const { conversationId, content, contentType, clientMsgId, replyToMessageId } = entry;
    const blank = { media: [], reactions: [], editedAt: null, deletedAt: null, senderId: this.selfId };
    const place = { messageId, seq, rev, timestamp };
    return { ...blank, ...place, conversationId, content, contentType, clientMsgId, replyToMessageId };
  }
}
