import type { Client, Host } from 'cassandra-driver';
import { startOf } from './node-starts.js';

/** Nodes that went and never came back, and nodes that are known; the first of them are forgotten. */
const NODES_MAX = 1_000;
/** A node that has just come back may be too slow to say as what. */
const ASK_AGAIN_MS = 500;

/**
 * Tells when a node has started anew that the driver had lost, and since when it was away: milliseconds since the epoch,
 * by this process's clock. What comes and goes while nobody listens is not told.
 *
 * A connection that was lost is no sign of that by itself. A node that is merely slow loses its connections, and who
 * asks more of it then keeps it slow.
 *
 * Where all nodes were away, the driver does not find the first one up again: it removes it, and adds it anew.
 */
export class NodeReturns {
  /** By address, the longest away first. */
  private readonly away = new Map<string, number>();
  /** By address, as what a node was last seen. */
  private readonly starts = new Map<string, string>();
  /** By address, the last question that it was asked: an older one is given up. */
  private readonly asked = new Map<string, object>();
  private readonly listeners = new Set<(awaySinceMs: number) => void>();

  constructor(
    private readonly client: Client,
    private readonly now: () => number = Date.now,
  ) {
    for (const gone of ['hostDown', 'hostRemove']) client.on(gone, (host: Host) => this.lost(host.address));
    for (const there of ['hostUp', 'hostAdd']) client.on(there, (host: Host) => void this.found(host));
  }

  listen(listener: (awaySinceMs: number) => void): () => void {
    // A set holds a function once: two subscriptions of one listener need two of them.
    const own = (awaySinceMs: number): void => listener(awaySinceMs);
    this.listeners.add(own);
    if (this.listeners.size === 1) for (const host of this.client.hosts.values()) void this.found(host);
    return () => this.listeners.delete(own);
  }

  private lost(address: string): void {
    this.asked.delete(address);
    if (!this.away.has(address)) this.away.set(address, this.now());
    forgetFirst(this.away);
  }

  /** Asks until the node answers, or is lost again: then it is still away since the first time. */
  private async found(host: Host): Promise<void> {
    const { address } = host;
    if (this.listeners.size === 0) return void this.away.delete(address);
    const question = {};
    this.asked.set(address, question);
    while (this.asked.get(address) === question && this.listeners.size > 0) {
      const start = await startOf(this.client, host).catch(() => null);
      if (this.asked.get(address) !== question) return;
      if (start !== null) return this.foundAs(address, start);
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS).unref());
    }
  }

  private foundAs(address: string, start: string): void {
    this.asked.delete(address);
    const since = this.away.get(address);
    this.away.delete(address);
    const before = this.starts.get(address);
    this.starts.delete(address);
    this.starts.set(address, start);
    forgetFirst(this.starts);
    if (since === undefined || before === start) return;
    for (const listener of this.listeners) listener(since);
  }
}

function forgetFirst(nodes: Map<string, unknown>): void {
  const [first] = nodes.keys();
  if (nodes.size > NODES_MAX && first !== undefined) nodes.delete(first);
}
