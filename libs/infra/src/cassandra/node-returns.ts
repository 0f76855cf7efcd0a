import type { Client, Host } from 'cassandra-driver';

/** Nodes that went and never came back; the first of them are forgotten. */
const AWAY_MAX = 1_000;

/**
 * Tells when a node is back that the driver had lost, and since when it was away: milliseconds since the epoch, by this
 * process's clock. What comes and goes while nobody listens is not told.
 *
 * Where all nodes were away, the driver does not find the first one up again: it removes it, and adds it anew.
 */
export class NodeReturns {
  /** By address, the longest away first. */
  private readonly away = new Map<string, number>();
  private readonly listeners = new Set<(awaySinceMs: number) => void>();

  constructor(
    client: Client,
    private readonly now: () => number = Date.now,
  ) {
    client.on('hostDown', (host: Host) => this.lost(host.address));
    client.on('hostUp', (host: Host) => this.found(host.address));
    client.on('hostAdd', (host: Host) => this.found(host.address));
  }

  listen(listener: (awaySinceMs: number) => void): () => void {
    // A set holds a function once: two subscriptions of one listener need two of them.
    const own = (awaySinceMs: number): void => listener(awaySinceMs);
    this.listeners.add(own);
    return () => this.listeners.delete(own);
  }

  private lost(address: string): void {
    if (!this.away.has(address)) this.away.set(address, this.now());
    const [first] = this.away.keys();
    if (this.away.size > AWAY_MAX && first !== undefined) this.away.delete(first);
  }

  private found(address: string): void {
    const since = this.away.get(address);
    if (since === undefined) return;
    this.away.delete(address);
    for (const listener of this.listeners) listener(since);
  }
}
