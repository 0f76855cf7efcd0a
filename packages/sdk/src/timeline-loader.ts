import { backOffMs, type Clock } from './clock.js';
import type { ConversationTrack } from './conversation-track.js';
import { ParleyError, toParleyError } from './errors.js';
import type { StateCache } from './state-cache.js';
import type { MessagePage } from './wire.js';

const PAGE_RETRY_FIRST_MS = 500;
const PAGE_RETRY_MS_MAX = 10_000;
const PAGE_MESSAGES = 50;
/** Timelines that nobody looks at and that are kept up all the same. */
const IDLE_TIMELINES_MAX = 20;

interface Opening {
  users: number;
  isLoading: boolean;
  failures: number;
  /** What was kept of an earlier run is looked at once: after a discontinuity it would only cause the next. */
  mayRestore: boolean;
  cancelRetry: (() => void) | null;
}

interface LoaderDoor {
  readonly clock: Clock;
  readonly random: () => number;
  readonly tracks: ReadonlyMap<string, ConversationTrack>;
  readonly cache: StateCache;
  history(conversationId: string, before: string | undefined, limit: number): Promise<MessagePage>;
  restored(): void;
  loaded(track: ConversationTrack): void;
  fault(cause: unknown): void;
}

/** Gives a timeline that somebody looks at its messages: kept ones first, else the newest page, older ones on demand. */
export class TimelineLoader {
  private readonly openings = new Map<string, Opening>();
  private stopped = false;

  constructor(private readonly door: LoaderDoor) {}

  /** Keeps a timeline loaded until the returned function is called. */
  open(conversationId: string): () => void {
    const fresh = { users: 0, isLoading: false, failures: 0, mayRestore: true, cancelRetry: null };
    const opening = this.openings.get(conversationId) ?? fresh;
    // Moved to the end, so that the first ones are those not looked at for longest.
    this.openings.delete(conversationId);
    this.openings.set(conversationId, opening);
    opening.users++;
    this.fill(conversationId);
    let isOpen = true;
    return () => {
      if (isOpen) opening.users--;
      isOpen = false;
      this.dropIdle();
    };
  }

  /** Loads it unless it is there, or nobody asked for it. */
  fill(conversationId: string): void {
    const track = this.door.tracks.get(conversationId);
    const opening = this.openings.get(conversationId);
    if (!track || !opening || track.window || opening.isLoading || this.stopped) return;
    opening.cancelRetry?.();
    opening.cancelRetry = null;
    opening.isLoading = true;
    void this.load(track, opening);
  }

  /** One more page of older messages. @returns whether there are still older ones. @throws ParleyError */
  async loadOlder(conversationId: string): Promise<boolean> {
    const track = this.door.tracks.get(conversationId);
    const window = track?.window;
    const opening = this.openings.get(conversationId);
    if (!track || !window || !opening) throw new ParleyError('not_found', 'This timeline is not open');
    if (!window.hasBefore || opening.isLoading) return window.hasBefore;
    opening.isLoading = true;
    track.beginLoad();
    try {
      const page = await this.door.history(conversationId, window.items[0]?.messageId, PAGE_MESSAGES);
      if (track.window === window) track.extendWith(page);
      else track.endLoad();
    } catch (cause) {
      track.endLoad();
      throw cause;
    } finally {
      opening.isLoading = false;
      this.fill(conversationId);
    }
    this.door.loaded(track);
    return track.window?.hasBefore ?? false;
  }

  connected(): void {
    for (const conversationId of this.openings.keys()) this.fill(conversationId);
  }

  forget(conversationId: string): void {
    this.openings.get(conversationId)?.cancelRetry?.();
    this.openings.delete(conversationId);
  }

  stop(): void {
    this.stopped = true;
    for (const { cancelRetry } of this.openings.values()) cancelRetry?.();
    this.openings.clear();
  }

  private async load(track: ConversationTrack, opening: Opening): Promise<void> {
    const isCurrent = (): boolean => this.door.tracks.get(track.id) === track && !this.stopped;
    try {
      const kept = opening.mayRestore ? await this.door.cache.loadWindow(track.id) : null;
      opening.mayRestore = false;
      if (!isCurrent()) return;
      if (kept && kept.window.firstSeq >= track.conversation.visibleFromSeq) {
        track.restore(kept.window, kept.rev);
        this.door.restored();
      } else {
        await this.loadNewest(track);
      }
      opening.failures = 0;
    } catch (cause) {
      if (isCurrent()) this.failed(track.id, opening, cause);
    } finally {
      opening.isLoading = false;
    }
    if (isCurrent()) this.door.loaded(track);
  }

  private async loadNewest(track: ConversationTrack): Promise<void> {
    track.beginLoad();
    try {
      track.openWith(await this.door.history(track.id, undefined, PAGE_MESSAGES));
    } catch (cause) {
      track.endLoad();
      throw cause;
    }
  }

  private failed(conversationId: string, opening: Opening, cause: unknown): void {
    const error = toParleyError(cause);
    if (!error.retryable) this.door.fault(error);
    // The next connection tries at once; until then REST may work where sockets do not.
    const waitMs = backOffMs(opening.failures++, PAGE_RETRY_FIRST_MS, PAGE_RETRY_MS_MAX, this.door.random);
    opening.cancelRetry = this.door.clock.after(waitMs, () => this.fill(conversationId));
  }

  private dropIdle(): void {
    const idle = [...this.openings].filter(([, { users, isLoading }]) => users <= 0 && !isLoading);
    for (const [conversationId] of idle.slice(0, Math.max(0, idle.length - IDLE_TIMELINES_MAX))) {
      this.forget(conversationId);
      this.door.tracks.get(conversationId)?.dropWindow();
    }
  }
}
