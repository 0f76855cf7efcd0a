import { backOffMs, type Clock } from './clock.js';
import { tell } from './emitter.js';
import type { Answer } from './ports.js';
import type { ClientEventPayload, Presence } from './wire.js';

/** As many as the server lets one connection subscribe to; who is beyond that stays unknown until there is room. */
export const PRESENCE_WATCHED_MAX = 500;
/** Watches that begin together are told to the server together. */
const GATHER_MS = 20;
/** Who is watched again so soon is not unsubscribed in between: lists scroll. */
const LINGER_MS = 2_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MS_MAX = 30_000;

type PresenceEventName = 'presence_subscribe' | 'presence_unsubscribe';

interface PresenceDoor {
  readonly clock: Clock;
  readonly random: () => number;
  isConnected(): boolean;
  /** @throws ParleyError */
  ask<Name extends PresenceEventName>(name: Name, payload: ClientEventPayload<Name>): Promise<Answer<Name>>;
  readonly fault: (cause: unknown) => void;
}

type Watch = () => void;

/** Who of those that somebody looks at is online: one subscription for each user, however many look. */
export class PresenceBoard {
  private readonly known = new Map<string, Presence>();
  private readonly watches = new Map<string, Set<Watch>>();
  private readonly subscribed = new Set<string>();
  /** Each connection begins without subscriptions; what an earlier one still answers is dropped. */
  private epoch = 0;
  private isTelling = false;
  private failures = 0;
  private cancel: (() => void) | null = null;
  private stopped = false;

  constructor(private readonly door: PresenceDoor) {}

  of(userId: string): Presence | null {
    return this.known.get(userId) ?? null;
  }

  /** Calls the listener with those that are known, now and after each change. @returns what ends it */
  watch(userIds: readonly string[], listener: (presences: readonly Presence[]) => void): () => void {
    const ids = [...new Set(userIds)];
    const look = (): void =>
      tell(
        listener,
        ids.flatMap((userId) => this.known.get(userId) ?? []),
        this.door.fault,
      );
    for (const userId of ids) {
      const watches = this.watches.get(userId) ?? new Set();
      this.watches.set(userId, watches.add(look));
    }
    this.schedule(GATHER_MS);
    look();
    return () => {
      for (const userId of ids) {
        const watches = this.watches.get(userId);
        if (watches?.delete(look) && watches.size === 0) this.watches.delete(userId);
      }
      this.schedule(LINGER_MS);
    };
  }

  update(presence: Presence): void {
    // What was told just before an unsubscription is not news that will be kept up.
    if (!this.subscribed.has(presence.userId)) return;
    this.known.set(presence.userId, presence);
    // A copy: a listener may begin or end watches.
    const watches = [...(this.watches.get(presence.userId) ?? [])];
    for (const look of watches) look();
  }

  connected(): void {
    this.epoch++;
    this.subscribed.clear();
    this.schedule(0);
  }

  stop(): void {
    this.stopped = true;
    this.cancel?.();
    this.watches.clear();
  }

  private schedule(waitMs: number): void {
    if (this.cancel || this.stopped) return;
    this.cancel = this.door.clock.after(waitMs, () => {
      this.cancel = null;
      void this.settle();
    });
  }

  /** Makes the server's subscriptions those that are watched. */
  private async settle(): Promise<void> {
    if (this.isTelling || !this.door.isConnected()) return;
    this.isTelling = true;
    const { epoch } = this;
    try {
      await this.drop(epoch);
      await this.add(epoch);
      this.failures = 0;
    } catch {
      if (epoch === this.epoch)
        this.schedule(backOffMs(this.failures++, RETRY_FIRST_MS, RETRY_MS_MAX, this.door.random));
    } finally {
      this.isTelling = false;
      if (epoch !== this.epoch) this.schedule(0);
    }
  }

  private async drop(epoch: number): Promise<void> {
    const userIds = [...this.subscribed].filter((userId) => !this.watches.has(userId));
    if (userIds.length === 0) return;
    await this.door.ask('presence_unsubscribe', { userIds });
    if (epoch !== this.epoch) return;
    for (const userId of userIds) {
      this.subscribed.delete(userId);
      this.known.delete(userId);
    }
  }

  private async add(epoch: number): Promise<void> {
    const missing = [...this.watches.keys()].filter((userId) => !this.subscribed.has(userId));
    const userIds = missing.slice(0, PRESENCE_WATCHED_MAX - this.subscribed.size);
    if (userIds.length === 0 || epoch !== this.epoch) return;
    const { presences } = await this.door.ask('presence_subscribe', { userIds });
    if (epoch !== this.epoch) return;
    for (const userId of userIds) this.subscribed.add(userId);
    for (const presence of presences) this.update(presence);
  }
}
