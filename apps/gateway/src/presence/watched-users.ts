import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PresenceStatus } from '@parley/contracts';
import {
  Broadcast,
  type DeviceSession,
  PresenceRecords,
  presenceRoom,
  SESSION_TTL_MS,
  SessionRegistry,
  type SessionsByUser,
  statusOf,
} from '@parley/domain';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { BatchedReads } from './batched-reads.js';

/** A user that somebody here is subscribed to. */
export interface WatchedUser {
  readonly userId: string;
  status: PresenceStatus;
  /** When the user was last there, as far as is known; milliseconds since the epoch. */
  lastSeenAt: number | null;
  /** Resolves when the status was read for the first time. */
  ready: Promise<void>;
  isKnown: boolean;
  readAt: number;
  recheckAt: number;
}

const USERS_PER_READ_MAX = 500;
const TICK_MS = 100;
const SCAN_EVERY_MS = 1_000;
/** A user's status is read at most so often, whatever its devices do. */
export const READ_APART_MS = 500;
/** Nobody is believed for longer than this without looking: what was published may have been lost. */
export const RECHECK_EVERY_MS = 60_000;
/** An outage of the registry shows nothing for so long; then everybody is offline. */
export const UNKNOWN_SHOWN_AFTER_MS = 5_000;
/** After an outage the gateways need a moment to report everything again; until then nobody goes offline. */
export const REPORTING_AGAIN_MS = 3_000;
const RETRY_MS = 1_000;
/** A gateway that lives records the time itself, a moment later perhaps. */
const RECORDED_LATE_MS = 5_000;

/**
 * The statuses of those whom somebody here watches. The registry is the only authority: what is published is a hint to
 * ask it, and so is the time at which a session would end. A hint that gets lost is made up for within a minute.
 */
@Injectable()
export class WatchedUsers implements OnApplicationBootstrap, OnModuleDestroy {
  /** Called when a user's presence is another one than it was. */
  onChanged: (user: WatchedUser) => void = () => {};
  private readonly logger = new Logger('WatchedUsers');
  private readonly users = new Map<string, WatchedUser>();
  /** Those of whom something was heard since they were read. */
  private readonly heardOf = new Set<WatchedUser>();
  private readonly reads = new BatchedReads<WatchedUser>(USERS_PER_READ_MAX, (users) => this.read(users));
  private unsureUntil = Number.NEGATIVE_INFINITY;
  private isAway = false;
  private scannedAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private stopListening: (() => void)[] = [];

  constructor(
    @Inject(SessionRegistry) private readonly registry: SessionRegistry,
    @Inject(PresenceRecords) private readonly records: PresenceRecords,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = [
      this.registry.onReturn(() => {
        this.unsureUntil = this.settings.now() + REPORTING_AGAIN_MS;
        this.recheckAll(REPORTING_AGAIN_MS);
      }),
      this.broadcast.onInterruption(() => this.recheckAll(0)),
    ];
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    for (const stop of this.stopListening) stop();
    if (this.timer) clearInterval(this.timer);
  }

  get size(): number {
    return this.users.size;
  }

  find(userId: string): WatchedUser | undefined {
    return this.users.get(userId);
  }

  /** The users, watched from now on until they are released; a new one is not known before it is `ready`. */
  watch(userIds: readonly string[]): WatchedUser[] {
    const added: WatchedUser[] = [];
    const watched = userIds.map((userId) => {
      const known = this.users.get(userId);
      if (known) return known;
      const user: WatchedUser = {
        userId,
        status: 'offline',
        lastSeenAt: null,
        ready: Promise.resolve(),
        isKnown: false,
        readAt: Number.NEGATIVE_INFINITY,
        recheckAt: Number.POSITIVE_INFINITY,
      };
      this.users.set(userId, user);
      added.push(user);
      return user;
    });
    if (added.length === 0) return watched;
    // Heard of before it is read: what changes in between is read again.
    const followed = this.broadcast.follow(added.map(({ userId }) => presenceRoom(userId)));
    for (const user of added) user.ready = followed.then(() => this.reads.ask(user));
    return watched;
  }

  release(userId: string): void {
    const user = this.users.get(userId);
    if (!user) return;
    this.users.delete(userId);
    this.heardOf.delete(user);
    this.reads.forget(user);
    this.broadcast.unfollow([presenceRoom(userId)]);
  }

  /** Something about the user has changed. */
  heard(userId: string): void {
    const user = this.users.get(userId);
    if (user) this.heardOf.add(user);
  }

  /** Called ten times a second. */
  tick(): void {
    const now = this.settings.now();
    for (const user of this.heardOf) {
      if (Math.abs(now - user.readAt) < READ_APART_MS) continue;
      this.heardOf.delete(user);
      this.ask(user);
    }
    if (Math.abs(now - this.scannedAt) < SCAN_EVERY_MS) return;
    this.scannedAt = now;
    if (this.users.size > 0) void this.noticeOutage();
    for (const user of this.users.values()) {
      const { recheckAt } = user;
      // A clock that was set back must not put it off.
      const isFarAhead = recheckAt > now + 2 * RECHECK_EVERY_MS && recheckAt < Number.POSITIVE_INFINITY;
      if (recheckAt <= now || isFarAhead) this.ask(user);
    }
  }

  private ask(user: WatchedUser): void {
    user.recheckAt = Number.POSITIVE_INFINITY;
    void this.reads.ask(user);
  }

  private recheckAll(afterMs: number): void {
    const at = this.settings.now() + afterMs;
    for (const user of this.users.values()) if (user.isKnown) user.recheckAt = Math.min(user.recheckAt, at);
  }

  private async read(users: readonly WatchedUser[]): Promise<void> {
    const sessions = await this.registry.ofUsers(users.map(({ userId }) => userId));
    const now = this.settings.now();
    this.noteOutage(sessions, now);
    const statuses = users.map((user) => this.statusOf(user, sessions, now));
    const gone = users.filter((user, i) => statuses[i] === 'offline' && (user.status !== 'offline' || !user.isKnown));
    const lastSeen = await this.lastSeenOf(gone);
    this.recordCrashed(gone, lastSeen);
    users.forEach((user, i) => {
      if (this.users.get(user.userId) !== user) return;
      const before = user.isKnown ? user.status : null;
      user.status = statuses[i]!;
      user.isKnown = true;
      user.readAt = now;
      user.recheckAt = sessions ? now + untilRecheckMs(sessions.get(user.userId) ?? []) : now + RETRY_MS;
      if (this.unsureUntil > now) user.recheckAt = Math.min(user.recheckAt, this.unsureUntil, now + RETRY_MS);
      const seenAt = lastSeen.get(user.userId);
      if (seenAt !== undefined) user.lastSeenAt = Math.max(seenAt, user.lastSeenAt ?? seenAt);
      if (before !== null && before !== user.status) this.onChanged(user);
    });
  }

  /** What the registry says; in doubt, for a moment, what it said before. */
  private statusOf(user: WatchedUser, sessions: SessionsByUser | null, now: number): PresenceStatus {
    const own = sessions?.get(user.userId) ?? [];
    const lastSign = Math.max(...own.map((session) => (session.connected ? session.expiresInMs : 0)));
    // A gateway that crashed has recorded nothing: the last sign of life is known from when the sessions would end.
    if (lastSign > 0) user.lastSeenAt = Math.max(user.lastSeenAt ?? 0, now + lastSign - SESSION_TTL_MS);
    const status = statusOf(own);
    return user.isKnown && status === 'offline' && now < this.unsureUntil ? user.status : status;
  }

  /** Asks for nobody: that needs no answer over the network, and tells whether there would be one. */
  private async noticeOutage(): Promise<void> {
    this.noteOutage(await this.registry.ofUsers([]), this.settings.now());
  }

  private noteOutage(sessions: SessionsByUser | null, now: number): void {
    const isAway = sessions === null;
    if (isAway && !this.isAway) {
      this.unsureUntil = now + UNKNOWN_SHOWN_AFTER_MS;
      this.recheckAll(UNKNOWN_SHOWN_AFTER_MS);
    }
    this.isAway = isAway;
  }

  /** Nobody else knows it: the gateway that knew has died, and its sessions have ended by themselves. */
  private recordCrashed(gone: readonly WatchedUser[], recorded: ReadonlyMap<string, number>): void {
    const seen = gone.flatMap(({ userId, lastSeenAt }) =>
      lastSeenAt !== null && lastSeenAt - (recorded.get(userId) ?? 0) > RECORDED_LATE_MS
        ? [{ userId, at: lastSeenAt }]
        : [],
    );
    if (seen.length === 0) return;
    this.records.recordSeen(seen).catch((error: unknown) => {
      this.logger.warn(`When ${seen.length} users were last here could not be recorded: ${String(error)}`);
    });
  }

  private async lastSeenOf(users: readonly WatchedUser[]): Promise<Map<string, number>> {
    if (users.length === 0) return new Map();
    try {
      return await this.records.lastSeen(users.map(({ userId }) => userId));
    } catch (error) {
      // That somebody has gone is worth more than when.
      this.logger.warn(`When ${users.length} users were last there could not be read: ${String(error)}`);
      return new Map();
    }
  }
}

/** Until the first of the sessions ends, if nothing is heard before. */
function untilRecheckMs(sessions: readonly DeviceSession[]): number {
  let untilMs = RECHECK_EVERY_MS;
  for (const { expiresInMs } of sessions) untilMs = Math.min(untilMs, expiresInMs + 1);
  return untilMs;
}
