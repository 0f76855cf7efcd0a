import { backOffMs, type Clock } from './clock.js';
import type { ConversationTrack } from './conversation-track.js';
import { ParleyError, toParleyError } from './errors.js';
import type { Memberships } from './memberships.js';
import type { SyncAnswer, SyncCursor, SyncedConversation } from './wire.js';

/** A gap is given this long to close by itself: events overtake each other by less. */
export const GAP_WAIT_MS = 200;
const CURSORS_PER_SYNC_MAX = 200;
const MESSAGES_PER_SYNC = 100;
const RETRY_FIRST_MS = 1_000;
const RETRY_MS_MAX = 15_000;

export interface SyncRequest {
  since?: string;
  cursors: SyncCursor[];
  limit: number;
  cursor?: string;
}

export interface SyncDoor {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracks: ReadonlyMap<string, ConversationTrack>;
  readonly memberships: Memberships;
  /** Rejects when there is no connection; the next connection triggers a sync by itself. */
  request(request: SyncRequest): Promise<SyncAnswer>;
  isConnected(): boolean;
  synced(conversation: SyncedConversation, named: boolean): void;
  removed(conversationId: string): void;
  /** A sync has ended, well or not; what waited for it has been taken up. */
  roundEnded(): void;
}

/** Fetches what is missing, one request at a time; whatever asks for it meanwhile is answered by one more round. */
export class SyncEngine {
  /** Where the next sync begins; kept with what is cached. */
  since: string | undefined;
  private isRunning = false;
  private isWanted = false;
  private failures = 0;
  private stopped = false;
  private cancelRetry: (() => void) | null = null;
  private readonly gaps = new Map<string, () => void>();

  constructor(private readonly door: SyncDoor) {}

  /** Something is or may be missing: fetches it now. */
  trigger(): void {
    this.isWanted = true;
    if (this.isRunning || this.stopped) return;
    this.cancelRetry?.();
    this.cancelRetry = null;
    this.isRunning = true;
    void this.run();
  }

  /** Fetches unless what is missing comes within 200 ms. */
  gapIn(track: ConversationTrack): void {
    if (this.gaps.has(track.id) || this.stopped) return;
    const { rev } = track;
    this.gaps.set(
      track.id,
      this.door.clock.after(GAP_WAIT_MS, () => {
        this.gaps.delete(track.id);
        // Whoever was taken out and came back has another one.
        const current = this.door.tracks.get(track.id);
        if (!current?.needsSync) return;
        // That one has closed by itself, and what is missing now has its own time.
        if (current !== track || current.rev > rev) this.gapIn(current);
        else this.trigger();
      }),
    );
  }

  stop(): void {
    this.stopped = true;
    this.cancelRetry?.();
    for (const cancel of this.gaps.values()) cancel();
    this.gaps.clear();
  }

  private async run(): Promise<void> {
    try {
      let idleRounds = 0;
      while (this.isWanted && !this.stopped && this.door.isConnected()) {
        this.isWanted = false;
        const before = this.positions();
        await this.round();
        const isStuck = this.needy().length > 0 && this.positions() === before;
        idleRounds = isStuck ? idleRounds + 1 : 0;
        // What it announced does not come.
        if (idleRounds > 2) throw new ParleyError('internal', 'stuck');
        if (this.needy().length > 0) this.isWanted = true;
      }
      this.failures = 0;
    } catch (cause) {
      this.failed(cause);
    } finally {
      this.isRunning = false;
    }
  }

  private failed(cause: unknown): void {
    // A server that was set up anew does not know the place any more: everything is told again.
    if (toParleyError(cause).code === 'validation_failed') this.since = undefined;
    this.isWanted = true;
    if (this.stopped || !this.door.isConnected()) return;
    const waitMs = backOffMs(this.failures++, RETRY_FIRST_MS, RETRY_MS_MAX, this.door.random);
    this.cancelRetry = this.door.clock.after(waitMs, () => this.trigger());
  }

  private needy(): ConversationTrack[] {
    return [...this.door.tracks.values()].filter((track) => track.needsSync);
  }

  private positions(): string {
    return this.needy()
      .map(({ id, cursor, rev }) => `${id}:${cursor.afterSeq}:${cursor.afterRev}:${rev}`)
      .join();
  }

  /** One sync to the last of its pages. */
  private async round(): Promise<void> {
    const { tracks, memberships } = this.door;
    const existing = new Set(tracks.keys());
    const isWhole = this.since === undefined;
    const beganAt = memberships.now;
    const others = [...tracks.values()].filter((track) => track.window !== null && !track.needsSync);
    const named = [...this.needy(), ...others].slice(0, CURSORS_PER_SYNC_MAX);
    const untold = new Set(named);
    for (const track of named) track.catchingUp = true;
    try {
      let cursor: string | undefined;
      let syncedAt: string;
      let isOutdated = false;
      do {
        const cursors = named.filter((track) => tracks.get(track.id) === track).map((track) => track.cursor);
        const request: SyncRequest = { cursors, limit: MESSAGES_PER_SYNC };
        if (this.since !== undefined) request.since = this.since;
        if (cursor !== undefined) request.cursor = cursor;
        const askedAt = memberships.now;
        const answer = await this.door.request(request);
        const names = new Set(cursors.map(({ conversationId }) => conversationId));
        for (const { conversation } of answer.conversations) {
          existing.delete(conversation.conversationId);
          for (const track of untold) if (track.id === conversation.conversationId) untold.delete(track);
        }
        if (!this.takeUp(answer, names, askedAt)) isOutdated = true;
        syncedAt = answer.syncedAt;
        cursor = answer.nextCursor ?? undefined;
      } while (cursor !== undefined);
      // A sync of everything does not name what is gone: what it left out is.
      const left = isWhole ? [...existing].filter((id) => !memberships.hasChanged(id, beganAt)) : [];
      for (const conversationId of left) this.door.removed(conversationId);
      for (const track of untold) track.nothingFollows();
      // What was left out of an answer has to be told again.
      if (isOutdated) this.isWanted = true;
      else this.since = syncedAt;
    } finally {
      for (const track of named) track.endCatchUp();
      this.door.roundEnded();
    }
  }

  /** @returns false when something was left out, because the user has come or gone since that was asked for */
  private takeUp(answer: SyncAnswer, names: ReadonlySet<string>, askedAt: number): boolean {
    const { tracks, memberships } = this.door;
    let isWhole = true;
    for (const one of answer.conversations) {
      const { conversationId } = one.conversation;
      const hasChanged = memberships.hasChanged(conversationId, askedAt);
      // Who has come back has another place to go on from than the one that was named.
      if (!hasChanged || tracks.has(conversationId)) this.door.synced(one, names.has(conversationId) && !hasChanged);
      else isWhole = false;
    }
    for (const conversationId of answer.removed) {
      if (!memberships.hasChanged(conversationId, askedAt)) this.door.removed(conversationId);
      else if (tracks.has(conversationId)) isWhole = false;
    }
    return isWhole;
  }
}
