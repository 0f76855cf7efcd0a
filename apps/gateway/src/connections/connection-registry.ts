import { DoorMetrics } from '@parley/domain';
import { Inject, Injectable } from '@nestjs/common';
import type { Connection } from './connection.js';

const NONE: readonly Connection[] = Object.freeze([]);

/** The open sockets of this process, by user. */
@Injectable()
export class ConnectionRegistry {
  private readonly byUser = new Map<string, Connection[]>();
  private readonly open = new Set<Connection>();
  private readonly addedListeners: ((connection: Connection) => void)[] = [];
  private readonly removedListeners: ((connection: Connection) => void)[] = [];

  constructor(@Inject(DoorMetrics) private readonly metrics: DoorMetrics) {}

  get size(): number {
    return this.open.size;
  }

  add(connection: Connection): void {
    this.open.add(connection);
    const others = this.byUser.get(connection.userId);
    if (others) others.push(connection);
    else this.byUser.set(connection.userId, [connection]);
    this.metrics.socketsConnected(this.open.size);
    for (const listener of this.addedListeners) listener(connection);
  }

  remove(connection: Connection): void {
    if (!this.open.delete(connection)) return;
    const left = (this.byUser.get(connection.userId) ?? NONE).filter((other) => other !== connection);
    if (left.length > 0) this.byUser.set(connection.userId, left);
    else this.byUser.delete(connection.userId);
    this.metrics.socketsConnected(this.open.size);
    for (const listener of this.removedListeners) listener(connection);
  }

  /** Called after each socket that was added. A listener does not throw. */
  onAdded(listener: (connection: Connection) => void): void {
    this.addedListeners.push(listener);
  }

  /** Called after each socket that has gone. A listener does not throw. */
  onRemoved(listener: (connection: Connection) => void): void {
    this.removedListeners.push(listener);
  }

  /** Do not change it; it is replaced, not changed, when a socket goes. */
  ofUser(userId: string): readonly Connection[] {
    return this.byUser.get(userId) ?? NONE;
  }

  all(): Iterable<Connection> {
    return this.open;
  }

  userIds(): string[] {
    return [...this.byUser.keys()];
  }
}
