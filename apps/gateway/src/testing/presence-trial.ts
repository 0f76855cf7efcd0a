import { randomUUID } from 'node:crypto';
import type { Presence } from '@parley/contracts';
import {
  type LiveEvent,
  NoDoorMetrics,
  SessionRegistry,
  type SessionReport,
  type SessionsByUser,
} from '@parley/domain';
import { MemoryBroadcast, MemoryBroadcastHub, MemorySessionRegistry } from '@parley/infra';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { Connection } from '../connections/connection.js';
import type { Link, ServerPacket } from '../connections/link.js';
import type { GatewaySettings } from '../gateway-settings.js';
import { PresenceWatch } from '../presence/presence-watch.js';
import { SessionReporter } from '../presence/session-reporter.js';
import { WatchedUsers } from '../presence/watched-users.js';
import { TestPresenceRecords } from './test-presence-records.js';

/** A registry that can be away, and can forget everything. */
export class UnsteadyRegistry extends SessionRegistry {
  private inner = new MemorySessionRegistry(() => Date.now());
  private readonly listeners = new Set<() => void>();
  private away = false;
  /** Nobody is answered. */
  hangs = false;
  /** Of somebody; asking for nobody costs nothing. */
  reads = 0;
  puts: number[] = [];

  override async put(reports: readonly SessionReport[]): Promise<boolean> {
    if (this.hangs) await new Promise(() => {});
    if (this.away) return false;
    this.puts.push(reports.length);
    return this.inner.put(reports);
  }
  override async ofUsers(userIds: readonly string[]): Promise<SessionsByUser | null> {
    if (userIds.length > 0) this.reads++;
    return this.away ? null : this.inner.ofUsers(userIds);
  }
  override onReturn(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  goAway(): void {
    this.away = true;
  }
  /** It is there again, and knows nothing. */
  comeBackEmpty(): void {
    this.away = false;
    this.forget();
    for (const listener of this.listeners) listener();
  }
  forget(): void {
    this.inner = new MemorySessionRegistry(() => Date.now());
  }
}

/** What is published gets lost while it is deaf. */
class UnsteadyBroadcast extends MemoryBroadcast {
  isDeaf = false;
  published: LiveEvent[] = [];
  override publish(events: readonly LiveEvent[]): Promise<void> {
    this.published.push(...events);
    return this.isDeaf ? Promise.resolve() : super.publish(events);
  }
}

/** A socket without a network: it keeps what it is told. */
export class TrialSocket {
  readonly told: Presence[] = [];
  readonly connection: Connection;

  constructor(
    readonly gateway: TrialGateway,
    userId: string,
    deviceId: string,
  ) {
    const link: Link = {
      id: randomUUID(),
      address: '127.0.0.1',
      onOverflow: () => {},
      write: (packet) => this.take(packet),
      bufferedBytes: () => 0,
      takenBytes: () => 0,
      dropWaiting: () => {},
      close: () => {},
      terminate: () => {},
      isOpen: () => true,
    };
    const principal = { userId, sessionId: null, expiresAt: Number.MAX_SAFE_INTEGER, external: false };
    this.connection = new Connection(link, principal, deviceId, Date.now());
    gateway.connections.add(this.connection);
  }

  get userId(): string {
    return this.connection.userId;
  }

  heartbeat(active: boolean): void {
    this.connection.lastEventAt = Date.now();
    if (active) this.connection.lastActiveAt = Date.now();
  }

  async watch(...userIds: string[]): Promise<Presence[]> {
    return this.gateway.watch.subscribe(this.connection, userIds);
  }

  statusesOf(userId: string): string[] {
    return this.told.filter((presence) => presence.userId === userId).map(({ status }) => status);
  }

  leave(): void {
    this.gateway.connections.remove(this.connection);
  }

  private take({ text }: ServerPacket): void {
    const [name, payload] = JSON.parse(text.slice(1)) as [string, Presence];
    if (name === 'presence_update') this.told.push(payload);
  }
}

/** The presence of one gateway, as the module makes it. */
class TrialGateway {
  readonly connections = new ConnectionRegistry(new NoDoorMetrics());
  readonly broadcast: UnsteadyBroadcast;
  readonly users: WatchedUsers;
  readonly watch: PresenceWatch;
  readonly reporter: SessionReporter;

  constructor(sessions: SessionRegistry, records: TestPresenceRecords, hub: MemoryBroadcastHub) {
    this.broadcast = new UnsteadyBroadcast(hub);
    const settings = { gatewayId: randomUUID(), idleAfterMs: 60_000, offlineAfterMs: 5_000, now: Date.now };
    const metrics = new NoDoorMetrics();
    const { connections, broadcast } = this;
    this.users = new WatchedUsers(sessions, records, broadcast, settings as unknown as GatewaySettings);
    this.watch = new PresenceWatch(connections, this.users, records, broadcast, metrics);
    const all = [connections, sessions, records, broadcast, metrics, settings as unknown as GatewaySettings] as const;
    this.reporter = new SessionReporter(...all);
    for (const part of [this.users, this.watch, this.reporter]) part.onApplicationBootstrap();
  }

  connect(userId: string = randomUUID(), deviceId: string = randomUUID()): TrialSocket {
    return new TrialSocket(this, userId, deviceId);
  }

  /** As SIGKILL: it says nothing any more. */
  crash(): void {
    this.users.onModuleDestroy();
    this.watch.onModuleDestroy();
    clearInterval(this.reporter['timer'] ?? undefined);
  }

  async stop(): Promise<void> {
    this.users.onModuleDestroy();
    this.watch.onModuleDestroy();
    await this.reporter.onModuleDestroy();
  }
}

/** Two gateways that share a registry, a database and a broadcast. The caller fakes the timers. */
export class PresenceTrial {
  readonly sessions = new UnsteadyRegistry();
  readonly records = new TestPresenceRecords();
  private readonly hub = new MemoryBroadcastHub();
  readonly east = this.gateway();
  readonly west = this.gateway();

  gateway(): TrialGateway {
    return new TrialGateway(this.sessions, this.records, this.hub);
  }

  setDeaf(isDeaf: boolean): void {
    for (const { broadcast } of [this.east, this.west]) broadcast.isDeaf = isDeaf;
  }

  async publish(event: LiveEvent): Promise<void> {
    await this.west.broadcast.publish([event]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.east.stop(), this.west.stop()]);
  }
}
