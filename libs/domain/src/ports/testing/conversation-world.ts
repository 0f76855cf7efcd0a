import { randomUUID } from 'node:crypto';
import type { ConversationType, Message } from '@parley/contracts';
import { evolve } from '../../conversation/conversation.evolve.js';
import type { ConversationState } from '../../conversation/conversation.state.js';
import type { ConversationEvent } from '../../conversation/events/conversation-event.js';
import { applyChange, type MessageChange } from '../../messages/message.projection.js';
import type { MemberRow, ReceiptAdvance } from '../checkpoint.port.js';
import type { MessageWrite } from '../message-store.port.js';

/** What one commit of the pipeline leaves in the message store and in the read models. */
export interface ReadModelWrite {
  messages: MessageWrite[];
  conversations: ConversationState[];
  members: MemberRow[];
  receipts: ReceiptAdvance[];
}

export type WriteReadModels = (write: ReadModelWrite) => Promise<void>;

const BEGIN = Date.UTC(2026, 10, 22, 10);

/** A conversation that lives: each step is an event, evolved as the pipeline does it and written as a commit does. */
export class ConversationWorld {
  at = BEGIN;
  private state: ConversationState | null = null;
  private messageCount = 0;
  /** Messages by seq, as they are now. */
  readonly messages: Message[] = [];

  private constructor(
    private readonly write: WriteReadModels,
    readonly id: string,
  ) {}

  /** The first user is the creator and, in a group, its admin. */
  static async create(
    write: WriteReadModels,
    userIds: readonly string[],
    options: { type?: ConversationType; name?: string; id?: string; at?: number } = {},
  ): Promise<ConversationWorld> {
    const world = new ConversationWorld(write, options.id ?? randomUUID());
    world.at = options.at ?? BEGIN;
    const type = options.type ?? 'group';
    await world.happen({
      type: 'conversation-created',
      version: 1,
      conversationId: world.id,
      at: world.at,
      rev: 1,
      conversationType: type,
      name: type === 'group' ? (options.name ?? 'A group') : null,
      createdBy: userIds[0] as string,
      members: userIds.map((userId, i) => ({ userId, role: i === 0 && type === 'group' ? 'admin' : 'member' })),
    });
    return world;
  }

  get now(): ConversationState {
    if (!this.state) throw new Error('the conversation is not created');
    return this.state;
  }

  messageId(seq: number): string {
    const message = this.messages[seq - 1];
    if (!message) throw new Error(`no message ${seq}`);
    return message.messageId;
  }

  async send(
    senderId: string,
    content = 'Hello',
    options: { contentType?: Message['contentType'] } = {},
  ): Promise<Message> {
    this.at += 1_000;
    const place = this.place();
    const message: Message = {
      messageId: messageIdOf(this.id, ++this.messageCount),
      seq: this.now.lastSeq + 1,
      rev: this.now.lastRev + 1,
      conversationId: this.id,
      senderId,
      content,
      contentType: options.contentType ?? 'text',
      clientMsgId: `c-${this.messageCount}`,
      timestamp: new Date(place.at).toISOString(),
      media: [],
      replyToMessageId: null,
      editedAt: null,
      deletedAt: null,
      reactions: [],
    };
    await this.happen({ type: 'message-sent', ...place, message, requestHash: 'h' });
    return message;
  }

  deleteMessage(seq: number, deletedBy: string): Promise<void> {
    const rev = this.now.lastRev + 1;
    return this.happen({
      type: 'message-deleted',
      ...this.place(),
      rev,
      messageId: this.messageId(seq),
      seq,
      deletedBy,
    });
  }

  edit(seq: number, content: string): Promise<void> {
    const rev = this.now.lastRev + 1;
    return this.happen({ type: 'message-edited', ...this.place(), rev, messageId: this.messageId(seq), seq, content });
  }

  rename(name: string): Promise<void> {
    return this.happen({ type: 'conversation-renamed', ...this.place(), rev: this.now.lastRev + 1, name });
  }

  addMembers(...added: string[]): Promise<void> {
    return this.changeMembers(added, []);
  }

  removeMembers(...removed: string[]): Promise<void> {
    return this.changeMembers([], removed);
  }

  read(userId: string, seq: number): Promise<void> {
    const mark = { seq, messageId: this.messageId(seq) };
    return this.happen({ type: 'marks-advanced', ...this.place(), marks: [{ userId, read: mark, delivered: mark }] });
  }

  receive(userId: string, seq: number): Promise<void> {
    const delivered = { seq, messageId: this.messageId(seq) };
    return this.happen({ type: 'marks-advanced', ...this.place(), marks: [{ userId, delivered }] });
  }

  settings(userId: string, settings: { mutedUntil?: number; pinned?: boolean; archived?: boolean }): Promise<void> {
    const { mutedUntil = null, pinned = false, archived = false } = settings;
    return this.happen({ type: 'settings-changed', ...this.place(), userId, mutedUntil, pinned, archived });
  }

  private changeMembers(added: string[], removed: string[]): Promise<void> {
    const { lastRev, membershipEpoch } = this.now;
    const change = { rev: lastRev + 1, membershipEpoch: membershipEpoch + 1, added, removed, roles: {} };
    return this.happen({ type: 'members-changed', ...this.place(), ...change });
  }

  private place(): { version: 1; conversationId: string; at: number } {
    this.at += 1;
    return { version: 1, conversationId: this.id, at: this.at };
  }

  private messagesTouched(event: ConversationEvent): MessageWrite[] {
    if (event.type === 'message-sent') {
      const { message, requestHash } = event;
      const { conversationId, senderId, clientMsgId, messageId, seq, rev } = message;
      this.messages.push(message);
      const send = { conversationId, senderId, clientMsgId, messageId, seq, rev, at: event.at, requestHash };
      return [{ message, send }];
    }
    const isChange = (other: ConversationEvent): other is MessageChange => 'seq' in other;
    if (!isChange(event)) return [];
    const message = applyChange(this.messages[event.seq - 1] as Message, event);
    this.messages[event.seq - 1] = message;
    return [{ message, send: null }];
  }

  private async happen(event: ConversationEvent): Promise<void> {
    const before = new Map(this.state?.members);
    this.state = evolve(this.state, event);
    const touched = membersTouched(event, this.state);
    const rows: MemberRow[] = touched.map((member) => ({ conversationId: this.id, member, removedAt: null }));
    if (event.type === 'members-changed') {
      for (const userId of event.removed) {
        const member = before.get(userId);
        if (member) rows.push({ conversationId: this.id, member, removedAt: event.at });
      }
    }
    const onlyMembers = event.type === 'marks-advanced' || event.type === 'settings-changed';
    await this.write({
      messages: this.messagesTouched(event),
      conversations: onlyMembers ? [] : [this.state],
      members: rows,
      receipts: event.type === 'marks-advanced' ? [{ conversationId: this.id, at: event.at, marks: event.marks }] : [],
    });
  }
}

function membersTouched(event: ConversationEvent, state: ConversationState) {
  const all = [...state.members.values()];
  switch (event.type) {
    case 'conversation-created':
      return all;
    case 'message-sent':
      return all.filter((member) => member.userId === event.message.senderId);
    case 'members-changed':
      return all.filter((member) => event.added.includes(member.userId) || member.userId in event.roles);
    case 'settings-changed':
      return all.filter((member) => member.userId === event.userId);
    case 'marks-advanced':
      return all.filter((member) => event.marks.some((mark) => mark.userId === member.userId));
    default:
      return [];
  }
}

/** Unique among conversations, ascending in each. */
function messageIdOf(conversationId: string, count: number): string {
  return ((BigInt(`0x${conversationId.slice(0, 8)}`) << 24n) + BigInt(count)).toString();
}
