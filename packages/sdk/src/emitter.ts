/** Calls listeners in the order they came; one that throws harms neither the others nor the client. */
export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<(payload: never) => void>>();

  constructor(private readonly onFault: (fault: unknown) => void) {}

  /** @returns what ends the subscription */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    let set = this.listeners.get(name);
    if (!set) this.listeners.set(name, (set = new Set()));
    set.add(listener);
    return () => set.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    // A copy: who is added by a listener hears of the next event.
    const current = [...(this.listeners.get(name) ?? [])];
    for (const listener of current) {
      try {
        const result: unknown = (listener as (payload: Events[Name]) => unknown)(payload);
        // An async listener that rejects would otherwise end a Node process as an unhandled rejection.
        if (result instanceof Promise) result.catch(this.onFault);
      } catch (fault) {
        this.onFault(fault);
      }
    }
  }

  clear(): void {
    this.listeners.clear();
  }
}
