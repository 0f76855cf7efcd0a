import { Broadcast, type LiveEvent, type LiveListener, LiveListeners } from '@parley/domain';

/** Where instances meet: one for a process, shared by several instances in tests. */
export class MemoryBroadcastHub extends LiveListeners {}

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
