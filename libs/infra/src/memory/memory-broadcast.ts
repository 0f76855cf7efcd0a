import { Broadcast, type LiveEvent, type LiveListener } from '@parley/domain';

/** Where instances meet: one for a process, shared by several instances in tests. */
export class MemoryBroadcastHub {
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

/** Broadcast inside one process: listeners are called with everything, before `publish` returns. Nothing can interrupt it. */
export class MemoryBroadcast extends Broadcast {
  override readonly bringsEverything = true;

  constructor(private readonly hub = new MemoryBroadcastHub()) {
    super();
  }

  override publish(events: readonly LiveEvent[]): Promise<void> {
    if (events.length > 0) this.hub.deliver(events);
    return Promise.resolve();
  }

  override subscribe(listener: LiveListener): () => void {
    return this.hub.add(listener);
  }

  override follow(): Promise<void> {
    return Promise.resolve();
  }

  override unfollow(): void {}

  override followedSince(): number {
    return Number.NEGATIVE_INFINITY;
  }

  override onInterruption(): () => void {
    return () => {};
  }
}
