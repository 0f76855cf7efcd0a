import type { Conversation, Message } from '@parley/contracts';
import type { CommandRecord } from '../conversation/commands/command-record.js';
import { decide } from '../conversation/conversation.decider.js';
import { evolve } from '../conversation/conversation.evolve.js';
import type { ConversationState, PriorSend } from '../conversation/conversation.state.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { type PartitionClock, snowflake, tick } from '../conversation/snowflake.js';
import { applyChange, isMessageChange } from '../messages/message.projection.js';
import { toLiveEvent } from '../pipeline/live-events.js';
import type { Broadcast } from '../ports/broadcast.port.js';
import type { CommandLog, LogRecord } from '../ports/command-log.port.js';
import type { ConversationReader, MemberView, Membership } from '../ports/conversation-reader.port.js';
import type { LocatedMessage, MessageStore, SendKey, SendRow } from '../ports/message-store.port.js';
import type { Replies } from '../ports/replies.port.js';

const IDLE_MS = 20;

function keyOf({ conversationId, senderId, clientMsgId }: SendKey): string {
  return `${conversationId}|${senderId}|${clientMsgId}`;
}

/** Decides and evolves what is in the log, and keeps everything in memory: an owner without a database. */
export class MemoryOwner {
  readonly states = new Map<string, ConversationState>();
  readonly messages = new Map<string, Map<string, Message>>();
  readonly sends = new Map<string, PriorSend>();
  /** Every record that was decided, in order. */
  readonly decided: CommandRecord[] = [];
  private readonly positions: Map<number, number>;
  private clock: PartitionClock = { ms: 0, counter: 0 };
  private running: Promise<void> | null = null;
  private stopped = true;

  constructor(
    private readonly log: CommandLog,
    private readonly broadcast: Broadcast,
    private readonly replies: Replies,
  ) {
    this.positions = new Map(Array.from({ length: log.partitions }, (_, partition) => [partition, 0]));
  }

  start(): void {
    this.stopped = false;
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const records = await this.log.read(this.positions, 1_000, IDLE_MS);
      for (const record of records) this.take(record);
      if (records.length > 0) this.log.committed(this.positions);
    }
  }

  private take({ partition, offset, at, record }: LogRecord): void {
    if (!record) throw new Error('unreadable record');
    this.positions.set(partition, offset + 1);
    this.decided.push(record);
    this.clock = tick(this.clock, at);
    const place = { partition, offset, at, messageId: snowflake(partition, this.clock) };
    const { conversationId } = record;
    const state = this.states.get(conversationId) ?? null;
    const { events, outcome } = decide(state, record, place, this.priorOf(record));
    for (const event of events) this.apply(event, record);
    this.replies.send(record.origin.processId, [{ commandId: record.commandId, outcome }]);
  }

  private priorOf({ conversationId, actorId, command }: CommandRecord): PriorSend | null {
    if (command.type !== 'send-message') return null;
    return this.sends.get(keyOf({ conversationId, senderId: actorId, clientMsgId: command.clientMsgId })) ?? null;
  }

  private apply(event: ConversationEvent, record: CommandRecord): void {
    const { conversationId } = event;
    const state = evolve(this.states.get(conversationId) ?? null, event);
    this.states.set(conversationId, state);
    const live = toLiveEvent(event, state, record, this.projected(event));
    if (live) void this.broadcast.publish([live]);
  }

  private projected(event: ConversationEvent): Message | null {
    const messages = this.messages.get(event.conversationId) ?? new Map<string, Message>();
    this.messages.set(event.conversationId, messages);
    if (event.type === 'message-sent') {
      const { message, requestHash, at } = event;
      const { messageId, seq, rev, senderId, clientMsgId, conversationId } = message;
      messages.set(messageId, message);
      this.sends.set(keyOf({ conversationId, senderId, clientMsgId }), { messageId, seq, rev, at, requestHash });
      return message;
    }
    if (!isMessageChange(event)) return null;
    const message = messages.get(event.messageId);
    if (!message) return null;
    const changed = applyChange(message, event);
    messages.set(event.messageId, changed);
    return changed;
  }
}

/** Reads what the owner holds. Counts the readings of members, and can hold them up. */
export class OwnerReader implements Pick<ConversationReader, 'membership' | 'memberView' | 'conversation'> {
  membershipReads = 0;
  /** Every reading of members waits for this after it has looked. */
  hold: Promise<void> = Promise.resolve();

  constructor(private readonly owner: MemoryOwner) {}

  async membership(conversationId: string): Promise<Membership | null> {
    this.membershipReads += 1;
    const state = this.owner.states.get(conversationId);
    const members = new Map<string, { role: 'admin' | 'member'; visibleFromSeq: number; joinedEpoch: number }>();
    for (const { userId, role, visibleFromSeq, joinedEpoch } of state?.members.values() ?? []) {
      members.set(userId, { role, visibleFromSeq, joinedEpoch });
    }
    const read = state ? { conversationId, type: state.type, membershipEpoch: state.membershipEpoch, members } : null;
    await this.hold;
    return read;
  }

  async memberView(conversationId: string, userId: string): Promise<MemberView | null> {
    const state = this.owner.states.get(conversationId);
    const member = state?.members.get(userId);
    if (!state || !member) return null;
    const { lastSeq, lastRev } = state;
    const { visibleFromSeq, readSeq, readMessageId } = member;
    return { visibleFromSeq, lastSeq, lastRev, readSeq, readMessageId };
  }

  async conversation(conversationId: string, userId: string): Promise<Conversation | null> {
    const state = this.owner.states.get(conversationId);
    const own = state?.members.get(userId);
    if (!state || !own) return null;
    const iso = (ms: number): string => new Date(ms).toISOString();
    return {
      conversationId,
      type: state.type,
      name: state.name,
      createdAt: iso(state.createdAt),
      createdBy: state.createdBy,
      lastSeq: state.lastSeq,
      lastRev: state.lastRev,
      lastMessage: null,
      lastActivityAt: iso(state.lastActivityAt),
      unreadCount: state.lastSeq - own.readSeq,
      lastReadMessageId: own.readMessageId,
      lastReadSeq: own.readSeq,
      visibleFromSeq: own.visibleFromSeq,
      memberCount: state.members.size,
      members: [...state.members.values()].map((member) => ({
        userId: member.userId,
        displayName: member.userId,
        role: member.role,
        joinedAt: iso(member.joinedAt),
        lastReadMessageId: member.readMessageId,
        lastDeliveredMessageId: member.deliveredMessageId,
      })),
      role: own.role,
      settings: {
        mutedUntil: own.mutedUntil === null ? null : iso(own.mutedUntil),
        pinned: own.pinned,
        archived: own.archived,
      },
    };
  }
}

type UsedOfStore = 'find' | 'locate' | 'conversationOf' | 'findSends';

export class OwnerStore implements Pick<MessageStore, UsedOfStore> {
  /** Every look-up waits for this. */
  hold: Promise<void> = Promise.resolve();

  constructor(private readonly owner: MemoryOwner) {}

  async find(conversationId: string, messageIds: readonly string[]): Promise<Message[]> {
    await this.hold;
    return messageIds.flatMap((messageId) => this.owner.messages.get(conversationId)?.get(messageId) ?? []);
  }

  async locate(conversationId: string, messageId: string): Promise<LocatedMessage | null> {
    const [message] = await this.find(conversationId, [messageId]);
    if (!message) return null;
    return { messageId, seq: message.seq, authorId: message.senderId, deleted: message.deletedAt !== null };
  }

  async conversationOf(messageId: string): Promise<string | null> {
    for (const [conversationId, messages] of this.owner.messages) if (messages.has(messageId)) return conversationId;
    return null;
  }

  async findSends(keys: readonly SendKey[]): Promise<SendRow[]> {
    await this.hold;
    return keys.flatMap((key) => {
      const prior = this.owner.sends.get(keyOf(key));
      return prior ? { ...key, ...prior } : [];
    });
  }
}
