import { GATEWAY_TTL_MS, type GatewayEntry, GatewayRegistry } from '@parley/domain';

/** The gateways of this process: itself at the most. Never away. */
export class MemoryGatewayRegistry extends GatewayRegistry {
  private readonly entries = new Map<string, { gateway: GatewayEntry; endsAt: number }>();

  /** @param nowMs milliseconds on a clock that is never set back */
  constructor(private readonly nowMs: () => number = () => performance.now()) {
    super();
  }

  override announce(gateway: GatewayEntry): Promise<boolean> {
    this.entries.set(gateway.gatewayId, { gateway, endsAt: this.nowMs() + GATEWAY_TTL_MS });
    return Promise.resolve(true);
  }

  override withdraw(gatewayId: string): Promise<boolean> {
    this.entries.delete(gatewayId);
    return Promise.resolve(true);
  }

  override list(): Promise<readonly GatewayEntry[]> {
    const now = this.nowMs();
    for (const [gatewayId, { endsAt }] of this.entries) if (endsAt <= now) this.entries.delete(gatewayId);
    return Promise.resolve([...this.entries.values()].map(({ gateway }) => gateway));
  }
}
