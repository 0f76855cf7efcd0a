import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import {
  GATEWAY_ANNOUNCE_EVERY_MS,
  GatewayDirectory,
  type GatewayEntry,
  GatewayRegistry,
  gatewaysFor,
  Health,
} from '@parley/domain';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { ConnectionRegistry } from './connection-registry.js';

/** Where this gateway is. */
export interface GatewayPlace {
  url: string;
  region: string | null;
}

/**
 * Tells the other processes, every few seconds, that this one takes sockets, how many it has, and whether it is about to
 * end. One that is not ready says nothing, and is forgotten. Does nothing until it is started.
 */
@Injectable()
export class GatewayAnnouncer implements OnModuleDestroy {
  private readonly logger = new Logger('GatewayAnnouncer');
  private place: GatewayPlace | null = null;
  private draining = false;
  private timer: NodeJS.Timeout | null = null;
  private announcing = false;

  constructor(
    @Inject(GatewayRegistry) private readonly gateways: GatewayRegistry,
    @Inject(GatewayDirectory) private readonly directory: GatewayDirectory,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(Health) private readonly health: Health,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** From now on clients are sent here. */
  start(place: GatewayPlace): void {
    this.place = place;
    this.timer = setInterval(() => void this.tick(), GATEWAY_ANNOUNCE_EVERY_MS);
    this.timer.unref();
    void this.tick();
  }

  /** From now on clients are sent elsewhere. Resolves when the others can know it; ends in bounded time. */
  async drain(): Promise<void> {
    this.draining = true;
    if (this.place) await this.announce(this.place);
  }

  /** Ends the announcements and takes this gateway out. Ends in bounded time. */
  async withdraw(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    if (!this.place) return;
    this.place = null;
    await this.gateways.withdraw(this.settings.gatewayId);
  }

  onModuleDestroy(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** For each user, which other gateway to use: none where no other is known. */
  async elsewhere(): Promise<(userId: string) => string | undefined> {
    const { place } = this;
    if (!place) return () => undefined;
    const others = (await this.directory.gateways()).filter(
      ({ gatewayId, url }) => gatewayId !== this.settings.gatewayId && url !== place.url,
    );
    return (userId) => gatewaysFor(userId, place.region, others)[0];
  }

  private async tick(): Promise<void> {
    // While the registry hangs, an announcement may take longer than the next one is away.
    if (this.announcing) return;
    this.announcing = true;
    try {
      // Asked for now, so that they are known if the registry is away when this gateway ends.
      await this.directory.gateways();
      const { ready } = await this.health.readiness();
      if (this.place && (ready || this.draining)) await this.announce(this.place);
    } catch (error) {
      this.logger.error(`This gateway could not announce itself: ${String(error)}`);
    } finally {
      this.announcing = false;
    }
  }

  private async announce({ url, region }: GatewayPlace): Promise<void> {
    const { gatewayId } = this.settings;
    const connections = this.registry.size;
    const entry: GatewayEntry = { gatewayId, url, region, connections, draining: this.draining };
    await this.gateways.announce(entry);
  }
}
