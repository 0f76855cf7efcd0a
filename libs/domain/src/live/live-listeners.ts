import type { LiveListener } from '../ports/broadcast.port.js';
import type { LiveEvent } from './live-event.js';

/** Who listens to live events in one process, and sees them in one order. */
export class LiveListeners {
  private readonly listeners = new Set<LiveListener>();
  private readonly queue: (readonly LiveEvent[])[] = [];
  private delivering = false;

  /** @param onListenerError told of a listener that threw: the others and the publisher do not notice. */
  constructor(private readonly onListenerError: (error: unknown) => void = () => {}) {}

  add(listener: LiveListener): () => void {
    // A set holds a function once: two subscriptions of one listener need two of them.
    const own: LiveListener = (events) => listener(events);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  /** What a listener publishes in its turn comes after what is being delivered, so that all see one order. */
  deliver(events: readonly LiveEvent[]): void {
    this.queue.push(events);
    if (this.delivering) return;
    this.delivering = true;
    try {
      for (let next = this.queue.shift(); next; next = this.queue.shift()) this.deliverToAll(next);
    } finally {
      this.delivering = false;
    }
  }

  private deliverToAll(events: readonly LiveEvent[]): void {
    for (const listener of this.listeners) {
      try {
        listener(events);
      } catch (error) {
        this.onListenerError(error);
      }
    }
  }
}
