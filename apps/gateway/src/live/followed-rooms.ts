import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  Broadcast,
  conversationRoom,
  ConversationReader,
  DomainError,
  type LiveConversationCreated,
  type LiveMembersChanged,
  userRoom,
  withDeadline,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

/** How long a user's rooms are kept without a socket: a handshake may be under way, or a reconnection. */
export const ROOMS_KEPT_MS = 15_000;
const SWEEP_EVERY_MS = 5_000;
/** How long a client may wait for its rooms before it is sent away. */
export const ENTER_MS_MAX = 5_000;
/** Users whose conversations are read with one query: many come at once when another gateway has gone. */
const USERS_PER_QUERY_MAX = 100;
/** Pairs of a user and a conversation, about 200 bytes each. Who comes after that is sent to another gateway. */
export const PAIRS_MAX = 2_000_000;
const CROWDED_RETRY_MS = 5_000;

interface FollowedUser {
  readonly userId: string;
  /** Resolves when all rooms are in place. */
  ready: Promise<void>;
  readonly conversations: Set<string>;
  keptUntil: number;
}

/**
 * The rooms that the users of this gateway need: their own and those of their conversations. They are in place before a
 * socket is admitted, so that what a client reads first and what it then hears leave nothing out between them.
 *
 * Where the broadcast brings everything there is nothing to do.
 */
@Injectable()
export class FollowedRooms implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('FollowedRooms');
  private readonly users = new Map<string, FollowedUser>();
  /** Of a user and a conversation, all together. */
  private pairs = 0;
  private readonly unread = new Map<string, PromiseWithResolvers<string[]>>();
  private reading = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onApplicationBootstrap(): void {
    if (this.broadcast.bringsEverything) return;
    this.timer = setInterval(() => this.sweep(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** Users whose rooms are followed, connected or about to be. */
  get size(): number {
    return this.users.size;
  }

  /**
   * Resolves when everything that concerns the user arrives here.
   * @throws DomainError `overloaded`, or what reading the user's conversations failed with
   */
  async enter(userId: string): Promise<void> {
    if (this.broadcast.bringsEverything) return;
    let user = this.users.get(userId);
    if (user) {
      user.keptUntil = this.settings.now() + ROOMS_KEPT_MS;
    } else {
      if (this.pairs >= PAIRS_MAX) {
        throw new DomainError('overloaded', 'Too many conversations here', { retryAfterMs: CROWDED_RETRY_MS });
      }
      user = this.begin(userId);
    }
    await withDeadline(user.ready, ENTER_MS_MAX, () => {
      throw new DomainError('overloaded', 'Not ready in time', { retryAfterMs: CROWDED_RETRY_MS });
    });
  }

  /** Whether what is published to the conversation arrives here: then somebody here belongs to it. */
  brings(conversationId: string): boolean {
    return this.broadcast.bringsEverything || this.broadcast.followedSince(conversationRoom(conversationId)) !== null;
  }

  /** Follows and leaves what a change of members asks for. Resolves when what is new arrives here. */
  async changed(event: LiveMembersChanged | LiveConversationCreated): Promise<void> {
    if (this.broadcast.bringsEverything) return;
    const { conversationId } = event;
    if (event.type === 'members-changed') this.left(event.removed, conversationId);
    await this.joined(event.type === 'members-changed' ? event.added : event.memberIds, conversationId);
  }

  /** Those of the users who are here belong to the conversation. */
  async joined(userIds: readonly string[], conversationId: string): Promise<void> {
    if (this.broadcast.bringsEverything) return;
    await Promise.all(
      userIds.map((userId) => {
        const user = this.users.get(userId);
        return user ? this.follow(user, [conversationId]) : Promise.resolve();
      }),
    );
  }

  left(userIds: readonly string[], conversationId: string): void {
    for (const userId of userIds) {
      if (!this.users.get(userId)?.conversations.delete(conversationId)) continue;
      this.pairs--;
      this.broadcast.unfollow([conversationRoom(conversationId)]);
    }
  }

  /** Leaves the rooms of users who have had no socket for a while. */
  sweep(): void {
    const now = this.settings.now();
    for (const user of this.users.values()) {
      if (this.registry.ofUser(user.userId).length > 0) user.keptUntil = now + ROOMS_KEPT_MS;
      else if (user.keptUntil <= now) this.release(user);
    }
  }

  private begin(userId: string): FollowedUser {
    const keptUntil = this.settings.now() + ROOMS_KEPT_MS;
    const user: FollowedUser = { userId, ready: Promise.resolve(), conversations: new Set(), keptUntil };
    this.users.set(userId, user);
    user.ready = this.followAll(user).catch((error: unknown) => {
      // No socket has been admitted by it: the next one tries again.
      this.release(user);
      throw error;
    });
    return user;
  }

  /** The user's own room first: who is added while the conversations are read is heard of there. */
  private async followAll(user: FollowedUser): Promise<void> {
    await this.broadcast.follow([userRoom(user.userId)]);
    await this.follow(user, await this.conversationsOf(user.userId));
  }

  private async follow(user: FollowedUser, conversationIds: readonly string[]): Promise<void> {
    if (this.users.get(user.userId) !== user) return;
    const added = conversationIds.filter((conversationId) => !user.conversations.has(conversationId));
    for (const conversationId of added) user.conversations.add(conversationId);
    this.pairs += added.length;
    await this.broadcast.follow(added.map(conversationRoom));
  }

  private release(user: FollowedUser): void {
    if (this.users.get(user.userId) !== user) return;
    this.users.delete(user.userId);
    this.pairs -= user.conversations.size;
    this.broadcast.unfollow([userRoom(user.userId), ...[...user.conversations].map(conversationRoom)]);
  }

  private conversationsOf(userId: string): Promise<string[]> {
    const waiting = Promise.withResolvers<string[]>();
    this.unread.set(userId, waiting);
    if (!this.reading) void this.readWaiting();
    return waiting.promise;
  }

  /** One query at a time: those who come meanwhile are read with the next. */
  private async readWaiting(): Promise<void> {
    this.reading = true;
    while (this.unread.size > 0) {
      const some = [...this.unread].slice(0, USERS_PER_QUERY_MAX);
      for (const [userId] of some) this.unread.delete(userId);
      const found = new Map<string, string[]>(some.map(([userId]) => [userId, []]));
      try {
        const { heads } = await this.reader.headsSince([...found.keys()], null);
        for (const { userId, conversationId, removed } of heads) {
          if (!removed) found.get(userId)?.push(conversationId);
        }
        for (const [userId, { resolve }] of some) resolve(found.get(userId) ?? []);
      } catch (error) {
        this.logger.warn(`Conversations of ${some.length} users could not be read: ${String(error)}`);
        for (const [, { reject }] of some) reject(error);
      }
    }
    this.reading = false;
  }
}
