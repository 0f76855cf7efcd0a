import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Presence, PRESENCE_USERS_MAX } from '@parley/contracts';
import {
  Broadcast,
  DomainError,
  DoorMetrics,
  hiddenPresence,
  invalidField,
  type LiveEvent,
  presenceOf,
  PresenceRecords,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Connection } from '../connections/connection.js';
import { serverPacket, type ServerPacket } from '../connections/link.js';
import { BatchedReads } from './batched-reads.js';
import { WatchedUsers, type WatchedUser } from './watched-users.js';

interface Subscription {
  readonly connection: Connection;
  readonly user: WatchedUser;
  /** The viewer may see the user: neither hides, neither has blocked the other. */
  isVisible: boolean;
  /** The client has its answer: from then on it is told of changes. */
  isAnswered: boolean;
  /** Resolves when it is known for the first time whether the user may be seen. */
  checked: Promise<void>;
}

/** Sockets that are written to in one turn of the event loop. */
const TOLD_AT_ONCE = 1_000;
const PAIRS_PER_READ_MAX = 1_000;
/** Subscriptions of all sockets of this process, about 200 bytes each. */
export const SUBSCRIPTIONS_MAX = 1_000_000;
const CROWDED_RETRY_MS = 5_000;
const CHECK_AGAIN_MS = 2_000;

/**
 * Who of the sockets here is subscribed to whom, and what each is told. What a viewer may not see is offline to it, and
 * is so at once: while it cannot be read whether somebody may still be seen, nobody is.
 */
@Injectable()
export class PresenceWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('PresenceWatch');
  private readonly byConnection = new Map<Connection, Map<string, Subscription>>();
  private readonly byUser = new Map<string, Set<Subscription>>();
  private readonly checks = new BatchedReads<Subscription>(PAIRS_PER_READ_MAX, (some) => this.check(some));
  private readonly unchecked = new Set<Subscription>();
  private total = 0;
  private timer: NodeJS.Timeout | null = null;
  private stopListening: (() => void)[] = [];

  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(WatchedUsers) private readonly users: WatchedUsers,
    @Inject(PresenceRecords) private readonly records: PresenceRecords,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(DoorMetrics) private readonly metrics: DoorMetrics,
  ) {
    users.onChanged = (user) => this.changed(user);
    registry.onRemoved((connection) => this.drop(connection));
  }

  onApplicationBootstrap(): void {
    this.stopListening = [
      this.broadcast.subscribe((events) => this.receive(events)),
      // Somebody may have been blocked, or have hidden, and it was not heard here.
      this.broadcast.onInterruption(() => {
        for (const own of this.byConnection.values()) this.checkAgain(own.values());
      }),
    ];
    this.timer = setInterval(() => this.retryChecks(), CHECK_AGAIN_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
    if (this.timer) clearInterval(this.timer);
  }

  /** Subscriptions of all sockets. */
  get size(): number {
    return this.total;
  }

  /**
   * From the answer on the socket is told of every change of these users; the answer is how they are now.
   * @throws DomainError `validation_failed` above the bound of a socket, `overloaded` above that of the process, or what
   * reading who may be seen failed with; then nothing has changed
   */
  async subscribe(connection: Connection, userIds: readonly string[]): Promise<Presence[]> {
    const ids = [...new Set(userIds)];
    const own = this.byConnection.get(connection);
    const added = ids.filter((userId) => !own?.has(userId));
    this.requireRoom((own?.size ?? 0) + added.length, added.length);
    const subscriptions = this.add(connection, ids);
    try {
      await Promise.all(subscriptions.flatMap(({ user, checked }) => [user.ready, checked]));
    } catch (error) {
      this.unsubscribe(connection, added);
      throw error;
    }
    // In one go with the answer, so that no update passes it.
    return subscriptions.map((subscription) => {
      subscription.isAnswered = true;
      return presenceIn(subscription);
    });
  }

  unsubscribe(connection: Connection, userIds: readonly string[]): void {
    const own = this.byConnection.get(connection);
    for (const userId of userIds) {
      const subscription = own?.get(userId);
      if (subscription) this.remove(subscription);
    }
    if (own?.size === 0) this.byConnection.delete(connection);
    this.metrics.presenceSubscriptions(this.total);
  }

  private requireRoom(ofSocket: number, added: number): void {
    if (ofSocket > PRESENCE_USERS_MAX) {
      throw invalidField('userIds', 'too_many', `A socket is subscribed to at most ${PRESENCE_USERS_MAX} users`);
    }
    if (this.total + added > SUBSCRIPTIONS_MAX) {
      throw new DomainError('overloaded', 'Too many subscriptions here', { retryAfterMs: CROWDED_RETRY_MS });
    }
  }

  private add(connection: Connection, userIds: readonly string[]): Subscription[] {
    // A socket that has gone is told nothing, and nothing would ever remove what it is subscribed to.
    const isHere = this.registry.ofUser(connection.userId).includes(connection);
    if (!isHere) return [];
    let own = this.byConnection.get(connection);
    if (!own) this.byConnection.set(connection, (own = new Map<string, Subscription>()));
    const subscriptions: Subscription[] = [];
    for (const user of this.users.watch(userIds)) {
      let subscription = own.get(user.userId);
      if (!subscription) {
        subscription = { connection, user, isVisible: false, isAnswered: false, checked: Promise.resolve() };
        subscription.checked = this.checks.ask(subscription);
        own.set(user.userId, subscription);
        const all = this.byUser.get(user.userId);
        if (all) all.add(subscription);
        else this.byUser.set(user.userId, new Set([subscription]));
        this.total++;
      }
      subscriptions.push(subscription);
    }
    this.metrics.presenceSubscriptions(this.total);
    return subscriptions;
  }

  private remove(subscription: Subscription): void {
    const { connection, user } = subscription;
    if (!this.byConnection.get(connection)?.delete(user.userId)) return;
    this.total--;
    this.unchecked.delete(subscription);
    this.checks.forget(subscription);
    const all = this.byUser.get(user.userId);
    all?.delete(subscription);
    if (all?.size !== 0) return;
    this.byUser.delete(user.userId);
    this.users.release(user.userId);
  }

  private drop(connection: Connection): void {
    const own = this.byConnection.get(connection);
    if (own) this.unsubscribe(connection, [...own.keys()]);
  }

  private receive(events: readonly LiveEvent[]): void {
    if (this.total === 0) return;
    for (const event of events) {
      if (event.type === 'presence-changed') this.users.heard(event.userId);
      else if (event.type === 'presence-hidden') this.hidden(event.userId, event.hidden);
      else if (event.type === 'blocks-changed') this.blocksChanged(event.blockerId, event.blockedId);
    }
  }

  private hidden(userId: string, hidden: boolean): void {
    const concerned = [...(this.byUser.get(userId) ?? [])];
    for (const connection of this.registry.ofUser(userId)) {
      concerned.push(...(this.byConnection.get(connection)?.values() ?? []));
    }
    if (hidden) {
      for (const subscription of concerned) {
        if (subscription.connection.userId !== subscription.user.userId) this.show(subscription, false);
      }
    }
    // Also when it is hidden: what is being read now may have been true before.
    this.checkAgain(concerned);
  }

  private blocksChanged(oneId: string, otherId: string): void {
    for (const [viewerId, userId] of [
      [oneId, otherId],
      [otherId, oneId],
    ] as const) {
      for (const connection of this.registry.ofUser(viewerId)) {
        const subscription = this.byConnection.get(connection)?.get(userId);
        if (subscription) this.checkAgain([subscription]);
      }
    }
  }

  private checkAgain(subscriptions: Iterable<Subscription>): void {
    for (const subscription of subscriptions) void this.checks.ask(subscription);
  }

  private retryChecks(): void {
    const again = [...this.unchecked];
    this.unchecked.clear();
    this.checkAgain(again);
  }

  private async check(subscriptions: readonly Subscription[]): Promise<void> {
    const pairs = subscriptions.map(({ connection, user }) => ({ viewerId: connection.userId, userId: user.userId }));
    try {
      const answers = await this.records.canSee(pairs);
      subscriptions.forEach((subscription, i) => {
        if (!this.checks.isAsked(subscription)) this.show(subscription, answers[i] === true);
      });
    } catch (error) {
      this.logger.warn(`Who may be seen could not be read for ${pairs.length} subscriptions: ${String(error)}`);
      for (const subscription of subscriptions) {
        if (!this.isHere(subscription)) continue;
        this.show(subscription, false);
        this.unchecked.add(subscription);
      }
      throw error;
    }
  }

  private isHere(subscription: Subscription): boolean {
    return this.byConnection.get(subscription.connection)?.get(subscription.user.userId) === subscription;
  }

  /** From now on the viewer sees the user, or sees it offline. */
  private show(subscription: Subscription, isVisible: boolean): void {
    if (subscription.isVisible === isVisible || !this.isHere(subscription)) return;
    const before = presenceIn(subscription);
    subscription.isVisible = isVisible;
    const after = presenceIn(subscription);
    if (!subscription.isAnswered || (before.status === after.status && before.lastSeen === after.lastSeen)) return;
    subscription.connection.send(serverPacket('presence_update', after));
    this.metrics.presenceUpdates(1);
  }

  /** Told in slices, so that a user whom thousands watch does not keep everybody else waiting. */
  private changed(user: WatchedUser): void {
    const { userId, status, lastSeenAt } = user;
    const packet = serverPacket('presence_update', presenceOf(userId, status, lastSeenAt));
    const told = [...(this.byUser.get(userId) ?? [])];
    const tellFrom = (first: number): void => {
      // By the next change, which comes later, those who are left learn the same and more.
      if (user.status !== status || user.lastSeenAt !== lastSeenAt) return;
      this.tell(told.slice(first, first + TOLD_AT_ONCE), packet);
      if (first + TOLD_AT_ONCE < told.length) setImmediate(() => tellFrom(first + TOLD_AT_ONCE));
    };
    tellFrom(0);
  }

  private tell(subscriptions: readonly Subscription[], packet: ServerPacket): void {
    let count = 0;
    for (const subscription of subscriptions) {
      if (!subscription.isVisible || !subscription.isAnswered || !this.isHere(subscription)) continue;
      subscription.connection.send(packet);
      count++;
    }
    this.metrics.presenceUpdates(count);
  }
}

function presenceIn({ user, isVisible }: Subscription): Presence {
  return isVisible ? presenceOf(user.userId, user.status, user.lastSeenAt) : hiddenPresence(user.userId);
}
