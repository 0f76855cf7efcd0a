/** Calls a listener of the application: what it throws, or an async one rejects with, harms nobody and is told. */
export function tell<Payload>(
  listener: (payload: Payload) => unknown,
  payload: Payload,
  onFault: (fault: unknown) => void,
): void {
  // Rejections too: as an unhandled one it would end a Node process.
  new Promise((done) => done(listener(payload))).catch(onFault);
}

/** Calls listeners in the order they came; one that throws harms neither the others nor the client. */
export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<{ readonly tell: (payload: never) => void }>>();

  constructor(readonly onFault: (fault: unknown) => void) {}

  /** @returns what ends this subscription, and no other one of the same listener */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    const set = this.listeners.get(name) ?? new Set();
    const subscription = { tell: listener };
    this.listeners.set(name, set.add(subscription));
    return () => set.delete(subscription);
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    const set = this.listeners.get(name);
    // A copy: who is added by a listener hears of the next event. Who is taken out by one hears nothing more.
    const current = [...(set ?? [])];
    for (const subscription of current)
      if (set?.has(subscription)) tell(subscription.tell as (payload: Events[Name]) => void, payload, this.onFault);
  }

  clear(): void {
    this.listeners.clear();
  }
}
