import { Inject } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import { SessionRenewal } from './session-renewal.js';
import { EventDoor, type ClientEvent } from '../event-door.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

@EventDoor()
export class ConnectionGateway {
  constructor(
    @Inject(SessionRenewal) private readonly renewal: SessionRenewal,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  @SubscribeMessage('heartbeat')
  heartbeat(_client: unknown, { connection, payload }: ClientEvent<'heartbeat'>): { serverTime: string } {
    const now = this.settings.now();
    if (payload.active) connection.lastActiveAt = now;
    return { serverTime: new Date(now).toISOString() };
  }

  @SubscribeMessage('authenticate')
  authenticate(_client: unknown, { connection, payload }: ClientEvent<'authenticate'>): Promise<{ expiresAt: string }> {
    return this.renewal.renew(connection, payload.token);
  }
}
