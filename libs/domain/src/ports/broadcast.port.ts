import type { LiveEvent } from '../live/live-event.js';
import type { Room } from '../live/live-rooms.js';

export type LiveListener = (events: readonly LiveEvent[]) => void;

/**
 * Carries live events to the processes that follow their rooms (`roomsOf`). At most once: what is lost is found again by
 * `heads`, `resync` and `sync`.
 *
 * Events of one conversation arrive in the order in which a process published them, and an event for several rooms that
 * are followed here arrives once. A listener may be given more than what is followed: an adapter that finds it cheaper
 * brings everything.
 */
export abstract class Broadcast {
  /** True when everything arrives here whatever is followed: then nobody needs to. */
  abstract readonly bringsEverything: boolean;
  /**
   * Never rejects, and ends in bounded time: a failure is counted, logged, and told through `onInterruption` when it ends.
   * What goes to everybody is on its last stretch to every process by then: who asks another one afterwards finds it heard.
   */
  abstract publish(events: readonly LiveEvent[]): Promise<void>;
  abstract subscribe(listener: LiveListener): () => void;
  /**
   * Rooms are counted: what was followed twice has to be unfollowed twice. Resolves when everything published from then
   * on arrives here; or at once while events are being lost, for then `onInterruption` is still to come. Never rejects.
   */
  abstract follow(rooms: readonly Room[]): Promise<void>;
  abstract unfollow(rooms: readonly Room[]): void;
  /**
   * Since when everything published to the room has arrived here, on the clock of `performance.now()`; null while it does
   * not. What was read after that moment has been kept up to date by events since.
   */
  abstract followedSince(room: Room): number | null;
  /** Called when events may have been lost and arrive again: gateways tell their sockets to `resync`. */
  abstract onInterruption(listener: () => void): () => void;
}
