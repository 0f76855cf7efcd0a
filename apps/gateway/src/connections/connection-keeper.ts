import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DoorMetrics, SessionRevocations } from '@parley/domain';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { ConnectionCloser } from './connection-closer.js';
import { ConnectionRegistry } from './connection-registry.js';
import type { Connection } from './connection.js';
import { serverPacket } from './link.js';

const SWEEP_EVERY_MS = 1_000;
/** How long before its end a token's client is told. */
export const TOKEN_EXPIRING_BEFORE_MS = 60_000;
/** A client says something every 30 s at least; three silences in a row and a little mean that it has gone. */
export const SILENCE_MS_MAX = 95_000;
/** A process that slept longer than this has first to read what clients said meanwhile. */
const SLEPT_MS = 10_000;

/** Ends sockets whose token has run out, whose session was revoked, that are silent, or whose reader has stopped. One timer for all. */
@Injectable()
export class ConnectionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | null = null;
  private stopListening = (): void => {};
  private sweptAt = 0;

  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConnectionCloser) private readonly closer: ConnectionCloser,
    @Inject(SessionRevocations) private readonly revocations: SessionRevocations,
    @Inject(DoorMetrics) private readonly metrics: DoorMetrics,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.revocations.onRevoked((sessionIds) => this.endSessions(sessionIds));
    this.timer = setInterval(() => this.sweep(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    this.stopListening();
    if (this.timer) clearInterval(this.timer);
  }

  sweep(): void {
    const now = this.settings.now();
    const awake = now - this.sweptAt < SLEPT_MS;
    this.sweptAt = now;
    for (const connection of this.registry.all()) if (!connection.closing) this.look(connection, now, awake);
    this.closer.sweep();
  }

  private look(connection: Connection, now: number, awake: boolean): void {
    const { expiresAt } = connection.principal;
    if (now >= expiresAt) return this.closer.close(connection, 'token_expired', 'with_new_token');
    if (awake && now - connection.lastEventAt > SILENCE_MS_MAX) {
      return this.closer.close(connection, 'heartbeat_missed', 'now');
    }
    if (this.isStalled(connection, now) && awake) {
      this.metrics.slowConsumer();
      return this.closer.close(connection, 'slow_consumer', 'now');
    }
    if (!connection.expiryAnnounced && now >= expiresAt - TOKEN_EXPIRING_BEFORE_MS) {
      connection.expiryAnnounced = true;
      connection.send(serverPacket('token_expiring', { expiresAt: new Date(expiresAt).toISOString() }));
    }
  }

  private isStalled(connection: Connection, now: number): boolean {
    if (connection.link.bufferedBytes() === 0) {
      connection.stalledSince = 0;
      return false;
    }
    const taken = connection.link.takenBytes();
    if (connection.stalledSince === 0 || taken !== connection.takenBytes) {
      connection.takenBytes = taken;
      connection.stalledSince = now;
      return false;
    }
    return now - connection.stalledSince >= this.settings.stalledMsMax;
  }

  private endSessions(sessionIds: readonly string[]): void {
    const ended = new Set(sessionIds);
    for (const connection of this.registry.all()) {
      const { sessionId } = connection.principal;
      if (sessionId !== null && ended.has(sessionId)) this.closer.close(connection, 'session_revoked', 'never');
    }
  }
}
