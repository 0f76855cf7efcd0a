import type { LiveEvent } from '../live/live-event.js';

export type LiveListener = (events: readonly LiveEvent[]) => void;

/**
 * Carries live events to every gateway. At most once: what is lost is found again by `heads`, `resync` and `sync`.
 * Events of one conversation arrive in the order in which they were published.
 */
export abstract class Broadcast {
  /** Never rejects: a failure is counted, logged, and reported through `onInterruption` when it ends. */
  abstract publish(events: readonly LiveEvent[]): Promise<void>;
  abstract subscribe(listener: LiveListener): () => void;
  /** Called when events may have been lost: gateways tell their sockets to `resync`. */
  abstract onInterruption(listener: () => void): () => void;
}
