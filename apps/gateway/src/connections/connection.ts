import type { Closing } from '@parley/contracts';
import type { Actor, Principal } from '@parley/domain';
import { DeliveryLog } from './delivery-log.js';
import { EventBudget } from './event-budget.js';
import { LeftConversations } from './left-conversations.js';
import { serverPacket, type Link, type ServerPacket } from './link.js';

/** Events of one socket that may wait for their answers at once. */
export const EVENTS_IN_FLIGHT_MAX = 1_000;

const END_OF_CONVERSATION: ReadonlySet<Closing['reconnect']> = new Set(['never', 'with_new_token']);

/** One authenticated socket, with everything that is known of it. */
export class Connection {
  readonly actor: Actor;
  readonly budget = new EventBudget();
  readonly deliveries = new DeliveryLog();
  readonly left = new LeftConversations();
  eventsInFlight = 0;
  /** The client was told that its token runs out. */
  expiryAnnounced = false;
  /** For noticing a reader that takes nothing. */
  takenBytes = 0;
  stalledSince = 0;
  /** The last sign of a person at the device; milliseconds since the epoch. */
  lastActiveAt: number;
  private ended = false;

  constructor(
    readonly link: Link,
    public principal: Principal,
    readonly deviceId: string,
    /** The last event of any kind from the client; milliseconds since the epoch. */
    public lastEventAt: number,
  ) {
    this.lastActiveAt = lastEventAt;
    this.actor = { userId: principal.userId, connectionId: link.id };
  }

  get id(): string {
    return this.link.id;
  }

  get userId(): string {
    return this.actor.userId;
  }

  /** True once the client was told that this socket ends: nothing more is delivered to it. */
  get closing(): boolean {
    return this.ended;
  }

  send(packet: ServerPacket): void {
    if (!this.ended) this.link.write(packet);
  }

  /** Says why, and ends the socket. The first reason stands. */
  close(code: Closing['code'], reconnect: Closing['reconnect'], afterMs = 0): void {
    if (!this.announceClosing(code, reconnect, afterMs)) return;
    this.link.close(END_OF_CONVERSATION.has(reconnect));
  }

  /** Says why, and lets the answers that are under way pass first; `link.close` is then the caller's. */
  announceClosing(code: Closing['code'], reconnect: Closing['reconnect'], afterMs = 0, url?: string): boolean {
    if (this.ended) return false;
    this.ended = true;
    if (code === 'slow_consumer') this.link.dropWaiting();
    this.link.write(serverPacket('closing', { code, reconnect, afterMs, ...(url !== undefined && { url }) }));
    return true;
  }
}
