import { AckWindow } from './ack-window.js';
import type { Clock } from './clock.js';
import {
  ConversationTrack,
  type DiscontinuityReason,
  type RevisionEvent,
  type Snapshot,
} from './conversation-track.js';
import { Memberships } from './memberships.js';
import { covers } from './message-ids.js';
import { Outbox, type OutboxEntry, type Settlement } from './outbox.js';
import { OwnMessages } from './own-messages.js';
import type { Answer, ServerEvent } from './ports.js';
import { ReadMarks } from './read-marks.js';
import { StateCache } from './state-cache.js';
import type { ParleyStore } from './store.js';
import { SyncEngine } from './sync-engine.js';
import { TimelineLoader, type PagePlace } from './timeline-loader.js';
import { TimelineItems, type TimelineItem } from './timeline-items.js';
import { TypingBoard } from './typing-board.js';
import type { ClientEventName, ClientEventPayload, Conversation, Member, Message, MessagePage } from './wire.js';

export interface MessengerDoor {
  readonly selfId: string;
  readonly tabId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: ParleyStore;
  isConnected(): boolean;
  /** @throws ParleyError */
  ask<Name extends ClientEventName>(name: Name, payload: ClientEventPayload<Name>): Promise<Answer<Name>>;
  /** @throws ParleyError */
  history(conversationId: string, place: PagePlace, limit: number): Promise<MessagePage>;
  /** @throws ParleyError */
  message(conversationId: string, messageId: string): Promise<Message>;
  /** Something that its timeline or its entry in the list shows has changed. */
  changed(conversationId: string): void;
  typing(conversationId: string): void;
  discontinuity(conversationId: string, reason: DiscontinuityReason): void;
  /** The user does not belong to it any more, and what was unsent has failed. It is still there, for a last look. */
  ending(conversationId: string): void;
  /** It is gone. */
  removed(conversationId: string): void;
  fault(cause: unknown): void;
}

/**
 * Everything a client knows and does about messages, with time and network passed in: brings events, answers and pages
 * to the tracks, sends the outbox, acknowledges what arrived. It never rejects by itself and never throws at an event.
 */
export class Messenger {
  readonly tracks = new Map<string, ConversationTrack>();
  readonly outbox: Outbox;
  readonly typing: TypingBoard;
  readonly timelines: TimelineLoader;
  private readonly sync: SyncEngine;
  private readonly acks: AckWindow;
  private readonly reads: ReadMarks;
  private readonly cache: StateCache;
  private readonly items: TimelineItems;
  private readonly own: OwnMessages;
  private readonly memberships = new Memberships();
  private stopped = false;

  constructor(private readonly door: MessengerDoor) {
    const { clock, random, store, selfId } = door;
    const isConnected = (): boolean => door.isConnected();
    const fault = (cause: unknown): void => door.fault(cause);
    this.items = new TimelineItems(selfId);
    this.own = new OwnMessages(selfId);
    this.typing = new TypingBoard(clock, (conversationId) => door.typing(conversationId));
    this.acks = new AckWindow(clock, async (conversationId, messageId) => {
      await door.ask('ack', { conversationId, messageId });
    });
    this.reads = new ReadMarks({
      clock,
      random,
      isConnected,
      send: (conversationId, lastReadMessageId) => door.ask('read_receipt', { conversationId, lastReadMessageId }),
      marked: (conversationId, mark) => {
        this.ownMark(conversationId, mark.lastReadMessageId, mark.lastReadSeq);
        this.cache.touch();
      },
    });
    const state = () => ({ since: this.sync.since, conversations: this.conversations, reads: this.reads.pending });
    this.cache = new StateCache(store, clock, selfId, state, fault);
    this.sync = new SyncEngine({
      clock,
      random,
      isConnected,
      tracks: this.tracks,
      memberships: this.memberships,
      request: (request) => door.ask('sync', request),
      synced: (synced, named) => this.synced(synced, named),
      removed: (conversationId) => this.removed(conversationId),
      roundEnded: () => this.tracks.forEach((track) => this.refresh(track)),
    });
    this.timelines = new TimelineLoader({
      clock,
      random,
      fault,
      tracks: this.tracks,
      cache: this.cache,
      history: (conversationId, place, limit) => door.history(conversationId, place, limit),
      message: (conversationId, messageId) => door.message(conversationId, messageId),
      restored: () => this.sync.trigger(),
      loaded: (track) => this.refresh(track),
    });
    const scope = `outbox/${selfId}`;
    this.outbox = new Outbox({ clock, random, store, scope, isConnected, fault, ...this.outboxDoor() }, door.tabId);
  }

  private outboxDoor() {
    return {
      send: (entry: OutboxEntry) => this.sendEntry(entry),
      changed: (conversationId: string) => this.door.changed(conversationId),
      stored: (entry: OutboxEntry, place: Settlement) => this.storedOwn(entry, place),
    };
  }

  get conversations(): Conversation[] {
    return [...this.tracks.values()].map(({ conversation }) => conversation);
  }

  /** Shows what was kept of the last run. */
  async start(): Promise<void> {
    const kept = await this.cache.load();
    if (kept && !this.stopped) {
      this.sync.since = kept.since;
      for (const conversation of kept.conversations) this.synced({ conversation }, false);
      for (const [conversationId, messageId] of kept.reads ?? []) this.reads.read(conversationId, messageId);
    }
    await this.outbox.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.timelines.stop();
    this.sync.stop();
    this.outbox.stop();
    this.acks.stop();
    this.typing.clear();
    await this.cache.stop();
    this.reads.stop();
  }

  /** There is a new connection: fetches what was missed and sends what waited. */
  connected(): void {
    this.sync.trigger();
    this.outbox.connected();
    this.acks.reconnected();
    this.reads.reconnected();
    this.timelines.connected();
  }

  /** Takes up a conversation that the user belongs to, as it is told now. */
  meet(conversation: Conversation): Conversation {
    this.memberships.note(conversation.conversationId);
    this.synced({ conversation }, false);
    return this.tracks.get(conversation.conversationId)?.conversation ?? conversation;
  }

  /**
   * Takes up a conversation that a call shows, unless the user was told meanwhile that it does not belong to it: then
   * the answer is the older word.
   * @returns what the call answered. @throws ParleyError what the call throws
   */
  async meetAnswer(call: () => Promise<Conversation>): Promise<Conversation> {
    const { now } = this.memberships;
    const conversation = await call();
    const { conversationId } = conversation;
    if (this.tracks.has(conversationId) || !this.memberships.hasChanged(conversationId, now))
      return this.meet(conversation);
    // It may as well have been made after the user came back, and only the server knows.
    this.sync.trigger();
    return conversation;
  }

  itemsOf(conversationId: string): readonly TimelineItem[] {
    const track = this.tracks.get(conversationId);
    if (!track) return [];
    const { conversation, detached, window } = track;
    // What is being sent belongs to the live end: after a jump something would be missing before it.
    if (detached) return this.items.of(detached, conversation, detached.items, [], []);
    const unplaced = this.own.unplacedOf(conversationId);
    const stored = new Set(unplaced.map(({ entry }) => entry.clientMsgId));
    const waiting = this.outbox.entriesOf(conversationId).filter(({ clientMsgId }) => !stored.has(clientMsgId));
    return this.items.of(window ?? track, conversation, window?.items ?? [], unplaced, this.own.unseen(track, waiting));
  }

  /** Marks as read up to a message, or up to the newest one that is here. */
  markRead(conversationId: string, messageId?: string): void {
    const track = this.tracks.get(conversationId);
    const upTo = messageId ?? track?.shown?.items.at(-1)?.messageId ?? track?.conversation.lastMessage?.messageId;
    if (!track || upTo === undefined) return;
    const seq = track.seqOf(upTo);
    if (seq !== undefined && seq <= track.conversation.lastReadSeq) return;
    if (seq !== undefined) this.ownMark(conversationId, upTo, seq);
    this.reads.read(conversationId, upTo);
  }

  /** The answer of an edit, a deletion or a reaction is news like any other. */
  changedMessage(message: Message): void {
    this.revise(message.conversationId, { kind: 'change', rev: message.rev, message });
  }

  take(event: ServerEvent): void {
    switch (event.name) {
      case 'new_message':
        this.typing.set(event.payload.conversationId, event.payload.senderId, false);
        if (event.payload.senderId === this.door.selfId) this.outbox.seen(event.payload.clientMsgId);
        else this.acks.told(event.payload.conversationId, event.payload.messageId);
        return this.revise(event.payload.conversationId, messageEvent('message', event.payload));
      case 'message_updated':
        return this.revise(event.payload.conversationId, messageEvent('change', event.payload));
      case 'members_changed': {
        const { payload: change } = event;
        return this.revise(change.conversationId, { kind: 'members', rev: change.rev, change });
      }
      case 'conversation_updated':
        return this.revise(event.payload.conversationId, { kind: 'name', ...event.payload });
      case 'conversation_created':
        return void this.meet(event.payload);
      case 'conversation_removed':
        return this.removed(event.payload.conversationId);
      case 'typing_indicator':
        return this.typing.set(event.payload.conversationId, event.payload.userId, event.payload.isTyping);
      case 'delivery_receipt': {
        const { conversationId, userId, lastDeliveredMessageId } = event.payload;
        return this.mark(conversationId, userId, 'lastDeliveredMessageId', lastDeliveredMessageId);
      }
      case 'read_receipt': {
        const { conversationId, userId, lastReadMessageId } = event.payload;
        return this.mark(conversationId, userId, 'lastReadMessageId', lastReadMessageId);
      }
      case 'ack':
        return this.outbox.settled(event.payload);
      case 'heads':
        return event.payload.heads.forEach((head) => this.heardOf(head.conversationId, head.lastRev));
      case 'resync':
        return this.sync.trigger();
      default:
        return this.unknown(event.payload as object);
    }
  }

  /** Maybe a change that only a newer SDK knows: it is fetched, so that nothing waits behind it. */
  private unknown({ conversationId, rev }: { conversationId?: string; rev?: number }): void {
    if (conversationId && rev) this.heardOf(conversationId, rev);
  }

  private heardOf(conversationId: string, rev: number): void {
    const track = this.tracks.get(conversationId);
    if (!track) return this.sync.trigger();
    track.heardOf(rev);
    if (track.needsSync) this.sync.gapIn(track);
  }

  private revise(conversationId: string, event: RevisionEvent): void {
    const track = this.tracks.get(conversationId);
    // Its creation was lost, or is still to come.
    if (!track) return this.sync.trigger();
    track.receive(event);
    this.refresh(track);
  }

  private mark(
    conversationId: string,
    userId: string,
    kind: 'lastReadMessageId' | 'lastDeliveredMessageId',
    messageId: string,
  ): void {
    const track = this.tracks.get(conversationId);
    if (!track) return;
    const isMoved = track.mark(userId, kind, messageId);
    const isOwn = userId === this.door.selfId && kind === 'lastReadMessageId';
    if (isOwn) track.readElsewhere(messageId);
    if (isMoved || isOwn) this.refresh(track);
  }

  private ownMark(conversationId: string, messageId: string | null, seq: number): void {
    const track = this.tracks.get(conversationId);
    if (track && messageId !== null && track.markOwnRead(messageId, seq)) this.refresh(track);
  }

  private synced(told: Snapshot, named: boolean): void {
    const { conversation } = told;
    const known = this.tracks.get(conversation.conversationId);
    const track = known ?? new ConversationTrack(this.door.selfId, conversation);
    if (known) {
      this.takeSnapshot(known, told, named);
    } else {
      this.tracks.set(track.id, track);
      this.timelines.fill(track.id);
    }
    this.refresh(track);
  }

  private takeSnapshot(track: ConversationTrack, snapshot: Snapshot, named: boolean): void {
    const hadWindow = track.window !== null;
    const reason = track.takeSnapshot(snapshot, named);
    if (reason === null) return;
    this.own.forget(track.id);
    this.items.forget(track.id);
    if (hadWindow) this.door.discontinuity(track.id, reason);
    this.timelines.fill(track.id);
  }

  /** Brings what follows from a track's new state: what is in its place, what has arrived, who is to be told. */
  private refresh(track: ConversationTrack): void {
    if (this.tracks.get(track.id) !== track) return;
    this.own.placed(track);
    this.forgetSent(track);
    this.arrived(track);
    if (track.needsSync && !track.catchingUp) this.sync.gapIn(track);
    this.cache.touch(track);
    this.door.changed(track.id);
  }

  /** Acknowledges the latest message of others: one's own, which may follow it, need none. */
  private arrived({ id, window, conversation, needsSync }: ConversationTrack): void {
    const { selfId } = this.door;
    const { lastMessage } = conversation;
    const latest = lastMessage?.senderId === selfId ? this.acks.liveOf(id) : lastMessage?.messageId;
    const messageId = window ? window.lastNotOf(selfId)?.messageId : needsSync ? undefined : latest;
    if (messageId === undefined) return;
    const self = conversation.members.find(({ userId }) => userId === selfId);
    this.acks.arrived(id, messageId, self?.lastDeliveredMessageId === messageId);
  }

  /** What is in the window was stored, whether its answer came or not. */
  private forgetSent(track: ConversationTrack): void {
    const waiting = this.outbox.entriesOf(track.id);
    const unseen = new Set(this.own.unseen(track, waiting));
    for (const entry of waiting) if (!unseen.has(entry)) this.outbox.seen(entry.clientMsgId);
  }

  tellTyping(conversationId: string, isTyping: boolean): void {
    // Nobody misses it: what cannot be told now is not told later.
    if (this.door.isConnected()) this.door.ask('typing', { conversationId, isTyping }).catch(() => {});
  }

  readersOf(conversationId: string, messageId: string): Member[] {
    const track = this.tracks.get(conversationId);
    const senderId = track?.find(messageId)?.senderId;
    const members = track?.conversation.members ?? [];
    return members.filter((member) => member.userId !== senderId && covers(member.lastReadMessageId, messageId));
  }

  /** The user does not belong to it any more. */
  removed(conversationId: string): void {
    this.memberships.note(conversationId);
    if (!this.tracks.has(conversationId)) return;
    this.outbox.conversationGone(conversationId);
    this.door.ending(conversationId);
    this.tracks.delete(conversationId);
    this.own.forget(conversationId);
    this.items.forget(conversationId);
    this.timelines.forget(conversationId);
    this.typing.forget(conversationId);
    this.acks.forget(conversationId);
    this.reads.forget(conversationId);
    this.cache.forget(conversationId);
    this.door.removed(conversationId);
  }

  private async sendEntry(entry: OutboxEntry): Promise<Settlement | 'accepted'> {
    const { conversationId, clientMsgId, content, contentType, mediaIds, replyToMessageId } = entry;
    const answer = await this.door.ask('send_message', {
      conversationId,
      clientMsgId,
      content,
      contentType,
      ...(mediaIds.length > 0 && { mediaIds: [...mediaIds] }),
      ...(replyToMessageId !== null && { replyToMessageId }),
    });
    return answer.status === 'stored' ? answer : 'accepted';
  }

  private storedOwn(entry: OutboxEntry, place: Settlement): void {
    const track = this.tracks.get(entry.conversationId);
    if (!track) return;
    this.own.stored(track, entry, place);
    if (entry.mediaIds.length > 0) {
      track.heardOf(place.rev);
      return this.refresh(track);
    }
    this.revise(track.id, messageEvent('message', this.own.messageOf(entry, place)));
  }
}

function messageEvent(kind: 'message' | 'change', message: Message): RevisionEvent {
  return { kind, rev: message.rev, message };
}
