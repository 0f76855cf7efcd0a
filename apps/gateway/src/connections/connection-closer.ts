import { Inject, Injectable } from '@nestjs/common';
import type { Closing } from '@parley/contracts';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import type { Connection } from './connection.js';
import type { Link } from './link.js';

/** How long a client may take to read its last words and close its side, before the socket is cut. */
export const CLOSING_GRACE_MS = 5_000;

/** Ends sockets with a reason, and cuts those that do not end. */
@Injectable()
export class ConnectionCloser {
  private readonly lingering = new Map<Link, number>();

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {}

  close(connection: Connection, code: Closing['code'], reconnect: Closing['reconnect']): void {
    if (connection.closing) return;
    connection.close(code, reconnect);
    this.cutLater(connection.link);
  }

  cutLater(link: Link): void {
    this.lingering.set(link, this.settings.now() + CLOSING_GRACE_MS);
  }

  /** Cuts those whose time has passed. Called about once a second. */
  sweep(): void {
    const now = this.settings.now();
    for (const [link, deadline] of this.lingering) {
      if (deadline > now) break;
      this.lingering.delete(link);
      link.terminate();
    }
  }

  /** Those that were told to end and are still connected. */
  countLingering(): number {
    let count = 0;
    for (const link of this.lingering.keys()) if (link.isOpen()) count++;
    return count;
  }

  /** Cuts all of them, at the end of the process. */
  cutAll(): void {
    for (const link of this.lingering.keys()) link.terminate();
    this.lingering.clear();
  }
}
