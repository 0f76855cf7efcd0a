import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ConnectionCloser } from './connection-closer.js';
import { ConnectionRegistry } from './connection-registry.js';
import type { Link } from './link.js';
import { SocketAdmission } from './socket-admission.js';

/** Clients come back spread over this time, so that their next server is not met by all of them at once. */
export const RECONNECT_SPREAD_MS = 3_000;
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
  ) {}

  /**
   * Takes no new sockets, tells every client to come back elsewhere, lets the events that are under way be answered, and
   * closes. Ends after `budgetMs` at the latest, with whatever is left cut.
   */
  async drain(budgetMs: number): Promise<void> {
    const deadline = Date.now() + budgetMs;
    this.admission.stopAccepting();
    const announced = [...this.registry.all()].filter((connection, index, all) =>
      connection.announceClosing('draining', 'now', Math.floor((index * RECONNECT_SPREAD_MS) / all.length)),
    );
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
  }

  private close(link: Link): void {
    link.close(false);
    this.closer.cutLater(link);
  }
}
