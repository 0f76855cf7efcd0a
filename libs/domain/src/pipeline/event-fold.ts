import type { Message } from '@parley/contracts';
import { evolve } from '../conversation/conversation.evolve.js';
import type { ConversationState, MemberState } from '../conversation/conversation.state.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { applyChange, isMessageChange } from '../messages/message.projection.js';
import type { MemberRow, ReceiptAdvance } from '../ports/checkpoint.port.js';
import type { MessageWrite, SendRow } from '../ports/message-store.port.js';
import type { CachedConversation } from './conversation-cache.js';

/** An event changes a message that neither this fold nor whoever loaded the messages for it knows. */
export class MessageMissing extends Error {
  constructor(
    readonly messageId: string,
    conversationId: string,
  ) {
    super(`message ${messageId} is not in ${conversationId}`);
  }
}

/**
 * What events come to in the read models and the message store: one row for each member, conversation and message that
 * they touch, as it is after the last of them. The same for an owner that has just decided them and for whoever replays
 * them from the stream, so a rebuilt table equals the one that was written live.
 */
export class EventFold {
  readonly messages = new Map<string, MessageWrite>();
  /** By conversation and user. */
  readonly members = new Map<string, MemberRow>();
  readonly touched = new Map<string, CachedConversation>();
  readonly receipts: ReceiptAdvance[] = [];
  /** New messages among the events. */
  sends = 0;

  /**
   * @param known messages that events change, as they are stored; a message that is sent here need not be among them.
   * Null leaves messages out altogether.
   */
  constructor(private readonly known: ReadonlyMap<string, Message> | null) {}

  /**
   * Applies an event to its conversation, whose state is moved on in place.
   * @param at time of its record, milliseconds since the epoch
   * @returns the message that it made or changed, as it is afterwards
   * @throws MessageMissing, before anything was touched; Error where the event cannot follow on that state
   */
  apply(event: ConversationEvent, at: number, conversation: CachedConversation): Message | null {
    const { conversationId } = event;
    const before = this.messageBefore(event);
    const leavers = event.type === 'members-changed' ? leaversOf(event.removed, conversation) : [];
    conversation.state = evolve(conversation.state, event);
    this.touched.set(conversationId, conversation);
    for (const member of leavers) this.member(conversationId, member, at);
    this.changedMembers(event, conversation.state);
    if (event.type === 'marks-advanced') this.receipts.push({ conversationId, at, marks: event.marks });
    return this.changedMessage(event, before, conversation);
  }

  *states(): Iterable<ConversationState> {
    for (const { state } of this.touched.values()) if (state) yield state;
  }

  private messageBefore(event: ConversationEvent): Message | null {
    if (this.known === null || !isMessageChange(event)) return null;
    const before = this.messages.get(event.messageId)?.message ?? this.known.get(event.messageId);
    if (!before) throw new MessageMissing(event.messageId, event.conversationId);
    return before;
  }

  private member(conversationId: string, member: MemberState, removedAt: number | null): void {
    this.members.set(`${conversationId}|${member.userId}`, { conversationId, member, removedAt });
  }

  private changedMembers(event: ConversationEvent, state: ConversationState): void {
    const changed = (userId: string): void => {
      const member = state.members.get(userId);
      if (member) this.member(event.conversationId, member, null);
    };
    switch (event.type) {
      case 'message-sent':
        return changed(event.message.senderId);
      case 'conversation-created':
        return event.members.forEach(({ userId }) => changed(userId));
      case 'members-changed':
        return [...event.added, ...Object.keys(event.roles)].forEach(changed);
      case 'settings-changed':
        return changed(event.userId);
      case 'marks-advanced':
        return event.marks.forEach(({ userId }) => changed(userId));
      case 'message-edited':
      case 'message-deleted':
      case 'reaction-changed':
      case 'conversation-renamed':
        return;
      default:
        // A new event says here whose rows it changes: what is not named is not written.
        event satisfies never;
    }
  }

  private changedMessage(
    event: ConversationEvent,
    before: Message | null,
    conversation: CachedConversation,
  ): Message | null {
    if (this.known === null) return null;
    if (event.type === 'message-sent') {
      const { message, requestHash, at } = event;
      const { conversationId, senderId, clientMsgId, messageId, seq, rev } = message;
      const send: SendRow = { conversationId, senderId, clientMsgId, messageId, seq, rev, at, requestHash };
      this.messages.set(messageId, { message, send });
      conversation.remember(senderId, clientMsgId, send);
      this.sends++;
      return message;
    }
    if (!before || !isMessageChange(event)) return null;
    const message = applyChange(before, event);
    this.messages.set(event.messageId, { message, send: this.messages.get(event.messageId)?.send ?? null });
    return message;
  }
}

function leaversOf(removed: readonly string[], { state }: CachedConversation): MemberState[] {
  return removed.flatMap((userId) => state?.members.get(userId) ?? []);
}
