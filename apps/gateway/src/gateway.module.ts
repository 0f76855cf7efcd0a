import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { Module, type INestApplication } from '@nestjs/common';
import { APP_CONFIG, ParleyIoAdapter, type AppConfig } from '@parley/infra';
import { ConnectionCloser } from './connections/connection-closer.js';
import { ConnectionGateway } from './connections/connection.gateway.js';
import { ConnectionKeeper } from './connections/connection-keeper.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { GatewayAnnouncer } from './connections/gateway-announcer.js';
import { GatewayDrain } from './connections/gateway-drain.js';
import { SessionRenewal } from './connections/session-renewal.js';
import { SocketAdmission } from './connections/socket-admission.js';
import { GATEWAY_SETTINGS, HEADS_EVERY_MS, type GatewaySettings } from './gateway-settings.js';
import { FollowedRooms } from './live/followed-rooms.js';
import { HeadsPoll } from './live/heads-poll.js';
import { HeadsWriter } from './live/heads-writer.js';
import { LiveDelivery } from './live/live-delivery.js';
import { LiveWriter } from './live/live-writer.js';
import { RecentMessages } from './live/recent-messages.js';
import { Resender } from './live/resender.js';
import { ToldMemberships } from './live/told-memberships.js';
import { MessagesGateway } from './messages/messages.gateway.js';
import { PresenceGateway } from './presence/presence.gateway.js';
import { PresenceWatch } from './presence/presence-watch.js';
import { SessionReporter } from './presence/session-reporter.js';
import { WatchedUsers } from './presence/watched-users.js';
import { ReceiptsGateway } from './receipts/receipts.gateway.js';
import { SyncGateway } from './sync/sync.gateway.js';
import { TypingGateway } from './typing/typing.gateway.js';

const doors = [MessagesGateway, ReceiptsGateway, TypingGateway, PresenceGateway, SyncGateway, ConnectionGateway];

/**
 * The sockets. Expects of global modules: `APP_CONFIG`, `TokenVerifier`, `SessionRevocations`, `Broadcast`,
 * `ConversationReader`, `MessageStore`, `MembershipDirectory`, `SessionRegistry`, `PresenceRecords`, `DoorMetrics` and
 * `PipelineMetrics`; and the domain's handlers on the buses of the global CqrsModule. `useSockets` opens the door before
 * the application is initialised.
 */
@Module({
  providers: [
    ...doors,
    { provide: GATEWAY_SETTINGS, inject: [APP_CONFIG], useFactory: gatewaySettings },
    ConnectionRegistry,
    ConnectionCloser,
    ConnectionKeeper,
    SocketAdmission,
    SessionRenewal,
    GatewayAnnouncer,
    GatewayDrain,
    RecentMessages,
    ToldMemberships,
    LiveWriter,
    FollowedRooms,
    LiveDelivery,
    HeadsWriter,
    HeadsPoll,
    Resender,
    SessionReporter,
    WatchedUsers,
    PresenceWatch,
  ],
  exports: [GatewayDrain, GatewayAnnouncer],
})
export class GatewayModule {}

function gatewaySettings(config: AppConfig): GatewaySettings {
  return {
    rateLimited: config.rateLimits.mode === 'on',
    eventsPerSecondMax: config.rateLimits.socketEvents.limit,
    socketsPerUserMax: config.rateLimits.socketsPerUserMax,
    stalledMsMax: config.sockets.stalledMsMax,
    headsEveryMs: HEADS_EVERY_MS,
    gatewayId: randomUUID(),
    idleAfterMs: config.presence.idleAfterMs,
    offlineAfterMs: config.presence.offlineAfterMs,
    now: Date.now,
  };
}

/** Serves Socket.IO on the application's own HTTP server. Call it between `create` and `init` or `listen`. */
export function useSockets(app: INestApplication): void {
  const config = app.get<AppConfig>(APP_CONFIG, { strict: false });
  const adapter = new ParleyIoAdapter(app.getHttpServer() as Server, app.get(SocketAdmission, { strict: false }), {
    allowedOrigins: config.http.allowedOrigins,
    publicUrl: config.http.publicUrl,
    trustProxy: config.http.trustProxy,
    socketsPerAddressMax: config.rateLimits.mode === 'on' ? config.rateLimits.socketsPerAddressMax : null,
    bufferBytesMax: config.sockets.bufferBytesMax,
  });
  app.useWebSocketAdapter(adapter);
}
