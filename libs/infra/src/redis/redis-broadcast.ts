import { randomUUID } from 'node:crypto';
import {
  Broadcast,
  EVERYBODY,
  type LiveEvent,
  LiveListeners,
  type LiveListener,
  type Room,
  roomsOf,
} from '@parley/domain';
import { createShardedAdapter } from '@socket.io/redis-adapter';
import { Server } from 'socket.io';
import type { MessageHandler, RedisLine } from './redis-line.js';

/** The one member of all rooms that are followed here. */
const THIS_PROCESS = 'this-process';
/** Socket.IO's number for an event packet. */
const EVENT_PACKET = 2;
/** Events for several rooms that are remembered as delivered, so that their second copy is not. */
const DELIVERED_MAX = 10_000;
/** How long after a failed publication the others are told that something is missing, once that can be sent. */
const NOTICE_AFTER_MS = 500;
/** Interruptions closer together than this are told as one, at the end of it. */
const INTERRUPTIONS_APART_MS = 2_000;

/**
 * What travels, as the data of an event packet. The events are one text: the adapter walks all that is nested in a
 * packet, and a message of a thousand nested arrays would overflow its stack.
 */
type Cargo = [kind: 'events' | 'missing', origin: string, copyId: string, json: string];

interface Parcel {
  /** Null: to everybody, who see for themselves what of it they follow. */
  room: Room | null;
  /** Set where the same event also goes another way. */
  copyId: string;
  events: LiveEvent[];
}

interface CarrierAdapter {
  addAll(id: string, rooms: Set<Room>): void;
  del(id: string, room: Room): void;
  broadcast(packet: unknown, options: { rooms: Set<Room>; except: Set<Room> }): Promise<void>;
  close(): Promise<void> | void;
  onMessage: (message: unknown) => void;
}

export interface RedisBroadcastOptions {
  onTrouble: (what: string, error: unknown) => void;
}

/**
 * Live events over the sharded Redis adapter of Socket.IO. Its rooms are ours; its member is this process, and no client
 * can reach the namespace that carries them: what arrives goes to the listeners.
 *
 * Own listeners hear what this process publishes before `publish` returns, also while Redis is away. A publication that
 * fails is dropped and counted, and all processes are told of an interruption as soon as they can be.
 */
export class RedisBroadcast extends Broadcast {
  override readonly bringsEverything = false;
  private readonly origin = randomUUID();
  private readonly listeners: LiveListeners;
  private readonly interruptionListeners = new Set<() => void>();
  private readonly adapter: CarrierAdapter;
  private readonly channelPrefix: string;
  private readonly followers = new Map<Room, number>();
  private readonly delivered = new Set<string>();
  private readonly stopListening: () => void;
  private copies = 0;
  private lost = 0;
  private interruptedAt = Number.NEGATIVE_INFINITY;
  private interruptionTimer: NodeJS.Timeout | null = null;
  private noticeTimer: NodeJS.Timeout | null = null;

  constructor(
    private readonly line: RedisLine,
    private readonly options: RedisBroadcastOptions,
  ) {
    super();
    this.listeners = new LiveListeners((error) => options.onTrouble('A listener to live events failed', error));
    this.channelPrefix = `${line.prefix}live`;
    const client = {
      sSubscribe: (channel: string, handler: MessageHandler) => line.subscribe(channel, handler),
      sUnsubscribe: (channel: string) => line.unsubscribe(channel),
      // The adapter hides failures, so they are met here.
      sPublish: (channel: string, text: string) => line.publish(channel, text).catch(() => this.missed()),
    };
    // A name of 20 characters would pass for the id of a socket, whose room has no channel of its own in other modes.
    const settings = { channelPrefix: this.channelPrefix, subscriptionMode: 'dynamic-private' } as const;
    const carrier = new Server({ serveClient: false, adapter: createShardedAdapter(client, client, settings) });
    this.adapter = carrier.sockets.adapter as unknown as CarrierAdapter;
    this.adapter.onMessage = (message) => this.receive(message);
    let isFirst = line.isUp === false;
    this.stopListening = line.onUp(() => {
      // Whoever follows before the line was ever up was told that an interruption is still to come.
      if (!isFirst || this.followers.size > 0) this.interrupted();
      isFirst = false;
    });
  }

  /** Publications that did not leave this process. */
  get lostPublications(): number {
    return this.lost;
  }

  override async publish(events: readonly LiveEvent[]): Promise<void> {
    if (events.length === 0) return;
    this.listeners.deliver(events);
    if (!this.line.isUp) return this.missed();
    const parcels = this.parcelsOf(events);
    await Promise.all(parcels.map((parcel) => this.send(parcel)));
    if (parcels.some(({ room, copyId }) => room === null && copyId === '')) await this.passedOn();
  }

  override subscribe(listener: LiveListener): () => void {
    return this.listeners.add(listener);
  }

  override async follow(rooms: readonly Room[]): Promise<void> {
    const added = new Set<Room>();
    for (const room of rooms) {
      const count = this.followers.get(room) ?? 0;
      this.followers.set(room, count + 1);
      if (count === 0 && room !== EVERYBODY) added.add(room);
    }
    if (added.size > 0) this.adapter.addAll(THIS_PROCESS, added);
    await Promise.all(rooms.map((room) => this.line.whenSubscribed(this.channelOf(room))));
  }

  override unfollow(rooms: readonly Room[]): void {
    for (const room of rooms) {
      const count = this.followers.get(room) ?? 0;
      if (count > 1) this.followers.set(room, count - 1);
      else if (this.followers.delete(room) && room !== EVERYBODY) this.adapter.del(THIS_PROCESS, room);
    }
  }

  override followedSince(room: Room): number | null {
    return this.line.subscribedSince(this.channelOf(room));
  }

  override onInterruption(listener: () => void): () => void {
    // A set holds a function once: two subscriptions of one listener need two of them.
    const own = (): void => listener();
    this.interruptionListeners.add(own);
    return () => this.interruptionListeners.delete(own);
  }

  async close(): Promise<void> {
    this.stopListening();
    if (this.interruptionTimer) clearTimeout(this.interruptionTimer);
    if (this.noticeTimer) clearTimeout(this.noticeTimer);
    this.interruptionListeners.clear();
    await this.adapter.close();
  }

  /** As the adapter names it. */
  private channelOf(room: Room): string {
    return room === EVERYBODY ? `${this.channelPrefix}#/#` : `${this.channelPrefix}#/#${room}#`;
  }

  /** What goes to the same room travels together, in its order. */
  private parcelsOf(events: readonly LiveEvent[]): Parcel[] {
    const parcels: Parcel[] = [];
    const open = new Map<Room, Parcel>();
    for (const event of events) {
      const [room, ...others] = roomsOf(event);
      if (room === undefined) continue;
      if (room === EVERYBODY) {
        parcels.push({ room: null, copyId: '', events: [event] });
      } else if (others.length > 0) {
        const copyId = `${this.origin}:${++this.copies}`;
        parcels.push({ room, copyId, events: [event] }, { room: null, copyId, events: [event] });
        open.delete(room);
      } else {
        const parcel = open.get(room);
        if (parcel) {
          parcel.events.push(event);
        } else {
          const opened = { room, copyId: '', events: [event] };
          open.set(room, opened);
          parcels.push(opened);
        }
      }
    }
    return parcels;
  }

  private async send({ room, copyId, events }: Parcel): Promise<void> {
    try {
      await this.broadcast(room, ['events', this.origin, copyId, JSON.stringify(events)]);
    } catch (error) {
      this.options.onTrouble('Live events could not be encoded', error);
      this.missed();
    }
  }

  private broadcast(room: Room | null, data: Cargo): Promise<void> {
    const rooms = new Set(room === null ? [] : [room]);
    return this.adapter.broadcast({ type: EVENT_PACKET, data }, { rooms, except: new Set() });
  }

  private receive(message: unknown): void {
    const cargo = cargoOf(message);
    if (!cargo) return this.options.onTrouble('Something else than live events came over Redis', null);
    const { data, isForEverybody } = cargo;
    const [kind, origin, copyId, json] = data;
    // Own listeners have heard it.
    if (origin === this.origin) return;
    if (kind === 'missing') return this.interrupted();
    let events: readonly LiveEvent[];
    try {
      events = JSON.parse(json) as LiveEvent[];
    } catch (error) {
      return this.options.onTrouble('Live events over Redis could not be read', error);
    }
    if (isForEverybody) events = events.filter((event) => this.concerns(event));
    if (events.length === 0 || (copyId !== '' && !this.isFirstCopy(copyId))) return;
    this.listeners.deliver(events);
  }

  private concerns(event: LiveEvent): boolean {
    return roomsOf(event).some((room) => room === EVERYBODY || this.followers.has(room));
  }

  private isFirstCopy(copyId: string): boolean {
    if (this.delivered.has(copyId)) return false;
    this.delivered.add(copyId);
    if (this.delivered.size > DELIVERED_MAX) {
      const [oldest] = this.delivered;
      if (oldest !== undefined) this.delivered.delete(oldest);
    }
    return true;
  }

  /**
   * Redis answers who published before it writes to the subscribers, and may lose the processor in between: that took
   * longer than the way of an answer to a client and of its next request to another process. It answers a second request
   * when all of them have been written to.
   */
  private async passedOn(): Promise<void> {
    try {
      await this.line.command(['PING']);
    } catch {
      // The line tells of its outage, and what was missed is told when it is up again.
    }
  }

  /** Something that was published reaches nobody else: they are told, as soon as that can be sent. */
  private missed(): void {
    this.lost++;
    this.noticeTimer ??= setTimeout(() => this.notice(), NOTICE_AFTER_MS).unref();
  }

  private notice(): void {
    this.noticeTimer = null;
    if (!this.line.isUp) {
      this.noticeTimer = setTimeout(() => this.notice(), NOTICE_AFTER_MS).unref();
      return;
    }
    // A failure comes back to `missed`, and so to here.
    void this.broadcast(null, ['missing', this.origin, '', '']);
  }

  private interrupted(): void {
    if (this.interruptionTimer) return;
    const now = performance.now();
    const waitMs = this.interruptedAt + INTERRUPTIONS_APART_MS - now;
    if (waitMs > 0) {
      this.interruptionTimer = setTimeout(() => {
        this.interruptionTimer = null;
        this.interrupted();
      }, waitMs).unref();
      return;
    }
    this.interruptedAt = now;
    for (const listener of this.interruptionListeners) {
      try {
        listener();
      } catch (error) {
        this.options.onTrouble('A listener to interruptions failed', error);
      }
    }
  }
}

/** What a packet of the adapter brings; null for anything that is not ours. */
function cargoOf(message: unknown): { data: Cargo; isForEverybody: boolean } | null {
  const { data: body } = (message ?? {}) as { data?: { packet?: { data?: unknown }; opts?: { rooms?: unknown } } };
  const data = body?.packet?.data;
  const rooms = body?.opts?.rooms;
  if (!Array.isArray(data) || data.length !== 4 || !data.every((part) => typeof part === 'string')) return null;
  return { data: data as Cargo, isForEverybody: !Array.isArray(rooms) || rooms.length === 0 };
}
