import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ConnectionCloser } from './connection-closer.js';
import { ConnectionRegistry } from './connection-registry.js';
import { GatewayAnnouncer } from './gateway-announcer.js';
import type { Link } from './link.js';
import { SocketAdmission } from './socket-admission.js';

/**
 * Clients come back spread over this time, so that their next server is not met by all of them at once: a thousand a
 * second, and no client later than the latest.
 */
const RECONNECT_SPREAD_MS = { least: 3_000, forEach: 1, most: 20_000 };
const LOOK_EVERY_MS = 20;
/** For clients to read their last words and close their side too. */
const CLOSE_HANDSHAKE_MS = 1_000;

/** Sends all clients elsewhere before the process ends. */
@Injectable()
export class GatewayDrain {
  constructor(
    @Inject(SocketAdmission) private readonly admission: SocketAdmission,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConnectionCloser) private readonly closer: ConnectionCloser,
    @Inject(GatewayAnnouncer) private readonly announcer: GatewayAnnouncer,
  ) {}

  /**
   * Takes no new sockets, tells every client when and where to come back, lets the events that are under way be answered,
   * and closes. Ends after `budgetMs` at the latest, with whatever is left cut.
   */
  async drain(budgetMs: number): Promise<void> {
    const deadline = Date.now() + budgetMs;
    this.admission.stopAccepting();
    const [elsewhere] = await Promise.all([this.announcer.elsewhere(), this.announcer.drain()]);
    const connections = [...this.registry.all()];
    const spreadMs = spreadOf(connections.length);
    const announced = connections.filter((connection, index) => {
      const afterMs = Math.floor((index * spreadMs) / connections.length);
      return connection.announceClosing('draining', 'now', afterMs, elsewhere(connection.userId));
    });
    let waiting = announced;
    while (waiting.length > 0 && Date.now() < deadline) {
      for (const { eventsInFlight, link } of waiting) if (eventsInFlight === 0) this.close(link);
      waiting = waiting.filter(({ eventsInFlight }) => eventsInFlight > 0);
      if (waiting.length > 0) await delay(LOOK_EVERY_MS);
    }
    for (const { link } of waiting) this.close(link);
    const cutAt = Math.min(deadline, Date.now() + CLOSE_HANDSHAKE_MS);
    while (this.closer.countLingering() > 0 && Date.now() < cutAt) await delay(LOOK_EVERY_MS);
    this.closer.cutAll();
    await this.announcer.withdraw();
  }

  private close(link: Link): void {
    link.close(false);
    this.closer.cutLater(link);
  }
}

function spreadOf(connections: number): number {
  const { least, forEach, most } = RECONNECT_SPREAD_MS;
  return Math.min(Math.max(least, connections * forEach), most);
}
