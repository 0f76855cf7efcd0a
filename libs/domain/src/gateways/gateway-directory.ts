import { Inject, Injectable } from '@nestjs/common';
import { type GatewayEntry, GatewayRegistry } from '../ports/gateway-registry.port.js';

/** An answer of the registry serves all who ask within this time. */
export const GATEWAYS_KEPT_MS = 500;

/**
 * The gateways as the registry knows them. While it does not say, or has just forgotten everything, those that it knew
 * last: most of them are still there, and whoever finds one gone tries the next.
 */
@Injectable()
export class GatewayDirectory {
  private known: readonly GatewayEntry[] = [];
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | null = null;

  constructor(@Inject(GatewayRegistry) private readonly registry: GatewayRegistry) {}

  /** Never rejects, ends in bounded time; empty when none was ever known. */
  async gateways(): Promise<readonly GatewayEntry[]> {
    if (performance.now() - this.askedAt >= GATEWAYS_KEPT_MS) {
      await (this.asking ??= this.ask().finally(() => (this.asking = null)));
    }
    return this.known;
  }

  private async ask(): Promise<void> {
    const found = await this.registry.list();
    if (found && found.length > 0) this.known = found;
    this.askedAt = performance.now();
  }
}
