import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  Broadcast,
  MembershipDirectory,
  type LiveConversationCreated,
  type LiveEvent,
  type LiveMarksAdvanced,
  type LiveMembersChanged,
  type Membership,
  TransientMap,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { FollowedRooms } from './followed-rooms.js';
import { HeadsWriter } from './heads-writer.js';
import { LiveWriter, RESYNC } from './live-writer.js';
import { ReadReceiptPace, type PacedRead } from './read-receipt-pace.js';

/** Events that may wait for one conversation's members to be read. More are dropped, and found again by heads. */
export const LANE_EVENTS_MAX = 1_000;
/** The same for all conversations together. */
const WAITING_EVENTS_MAX = 20_000;
/** Readings of the members before an event is given up: one may have begun before the change it should show. */
const READINGS_MAX = 3;
const RESYNC_SPREAD_MS = 1_000;
const RESYNC_SLICES = 10;

type Slow = LiveMembersChanged | LiveConversationCreated;
type Placed = Extract<LiveEvent, { conversationId: string; membershipEpoch: number }> | PacedRead;

/**
 * Brings what was broadcast to the sockets of this process. Events of a conversation keep their order; one that is newer
 * than the members known here waits, with all behind it, until they have been read again. If they cannot be read it is
 * dropped: what nobody may see for sure, nobody gets, and heads tell those who missed it.
 */
@Injectable()
export class LiveDelivery implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('LiveDelivery');
  private readonly lanes = new TransientMap<string, Placed[]>();
  private waiting = 0;
  private readonly pace: ReadReceiptPace;
  private unsubscribe: (() => void)[] = [];

  constructor(
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(LiveWriter) private readonly writer: LiveWriter,
    @Inject(HeadsWriter) private readonly heads: HeadsWriter,
    @Inject(FollowedRooms) private readonly rooms: FollowedRooms,
    @Inject(GATEWAY_SETTINGS) settings: GatewaySettings,
  ) {
    this.pace = new ReadReceiptPace(
      () => settings.now(),
      (read) => this.place(read),
    );
  }

  onApplicationBootstrap(): void {
    this.unsubscribe = [
      this.broadcast.subscribe((events) => this.receive(events)),
      this.broadcast.onInterruption(() => this.resyncAll()),
    ];
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    this.pace.stop();
  }

  private receive(events: readonly LiveEvent[]): void {
    if (this.registry.size === 0 && this.rooms.size === 0) return;
    for (const event of events) {
      if (event.type === 'send-settled') this.writer.settled(event);
      else if (event.type === 'conversations-moved') void this.heads.moved(event.heads);
      else if ('membershipEpoch' in event) this.place(event);
    }
  }

  private place(event: Placed): void {
    const lane = this.lanes.get(event.conversationId);
    if (lane) {
      if (lane.length >= LANE_EVENTS_MAX || this.waiting >= WAITING_EVENTS_MAX) return this.drop(event);
      this.waiting++;
      lane.push(event);
      return;
    }
    const membership = this.directory.get(event.conversationId);
    const isKnown = membership && membership.membershipEpoch >= event.membershipEpoch;
    if (isKnown && !isSlow(event)) this.write(event, membership);
    else if (this.waiting >= WAITING_EVENTS_MAX) this.drop(event);
    else void this.openLane(event);
  }

  private async openLane(first: Placed): Promise<void> {
    const { conversationId } = first;
    const lane = [first];
    this.lanes.set(conversationId, lane);
    this.waiting++;
    for (let event = lane[0]; event; lane.shift(), this.waiting--, event = lane[0]) {
      try {
        await this.writeLater(event);
      } catch (error) {
        this.logger.warn(`An event of ${conversationId} was not delivered: ${String(error)}`);
      }
    }
    this.lanes.delete(conversationId);
  }

  private async writeLater(event: Placed): Promise<void> {
    if (event.type === 'members-changed') this.writer.removed(event);
    // In place before the members and the conversation are read: what is committed after that is heard.
    if (isSlow(event)) await this.rooms.changed(event);
    if (event.type === 'conversation-created') return this.writer.created(event);
    const membership = await this.membershipFor(event);
    if (!membership) return;
    if (event.type === 'members-changed') await this.writer.membersChanged(event, membership);
    else this.write(event, membership);
  }

  /** Members that are at least as new as the event; null when there is no such conversation any more. */
  private async membershipFor({ conversationId, membershipEpoch }: Placed): Promise<Membership | null> {
    for (let reading = 0; reading < READINGS_MAX; reading++) {
      const membership = await (reading === 0
        ? this.directory.load(conversationId)
        : this.directory.reload(conversationId));
      if (!membership || membership.membershipEpoch >= membershipEpoch) return membership;
    }
    throw new Error('the members read are older than the event');
  }

  private write(event: Exclude<Placed, Slow>, membership: Membership): void {
    switch (event.type) {
      case 'message-sent':
        return this.writer.messageSent(event, membership);
      case 'message-changed':
        return this.writer.messageChanged(event, membership);
      case 'typing':
        return this.writer.typing(event, membership);
      case 'conversation-renamed':
        return this.writer.renamed(event, membership);
      case 'marks-advanced':
        return this.marksAdvanced(event, membership);
      case 'read-due':
        return this.writer.read(event, membership);
      default:
        // From a process of a newer version: its clients find by sync what this one cannot tell.
        event satisfies never;
    }
  }

  private marksAdvanced(event: LiveMarksAdvanced, membership: Membership): void {
    this.writer.delivered(event, membership);
    const { conversationId, membershipEpoch, memberCount } = event;
    for (const { userId, read } of event.marks) {
      if (!read) continue;
      const paced: PacedRead = { type: 'read-due', conversationId, membershipEpoch, memberCount, userId, read };
      if (this.pace.take(paced)) this.writer.read(paced, membership);
    }
  }

  private drop(event: Placed): void {
    // Who was removed hears of it whatever happens to the rest.
    if (event.type === 'members-changed') this.writer.removed(event);
    if (isSlow(event)) void this.rooms.changed(event);
    this.logger.warn(`Too many events wait for the members of ${event.conversationId}`);
  }

  /** Live events may have been lost. Not all at once: each of these clients answers with a sync. */
  private resyncAll(): void {
    const connections = [...this.registry.all()];
    const slice = Math.ceil(connections.length / RESYNC_SLICES);
    for (let part = 0; part < RESYNC_SLICES; part++) {
      const some = connections.slice(part * slice, (part + 1) * slice);
      const afterMs = (part * RESYNC_SPREAD_MS) / RESYNC_SLICES;
      if (some.length > 0) setTimeout(() => some.forEach((connection) => connection.send(RESYNC)), afterMs).unref();
    }
  }
}

/** Those whose wire form needs a reading, so that later events of the conversation have to wait for it. */
function isSlow(event: Placed): event is Slow {
  return event.type === 'members-changed' || event.type === 'conversation-created';
}
