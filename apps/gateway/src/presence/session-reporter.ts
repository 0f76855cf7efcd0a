import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import {
  Broadcast,
  DoorMetrics,
  PresenceRecords,
  SESSION_TTL_MS,
  SessionRegistry,
  type SessionReport,
  type SessionStatus,
  withDeadline,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Connection } from '../connections/connection.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

/** What changed is gathered for so long, so that many comings and goings are one call. */
const REPORT_WINDOW_MS = 100;
const SWEEP_EVERY_MS = 1_000;
/** Each device that goes on is reported so often: several times within the time after which it would count as gone. */
export const REFRESH_EVERY_MS = 20_000;
/** The time of those who stay is recorded so often: a gateway that is killed leaves none that is older. */
export const RECORD_EVERY_MS = 5 * 60_000;
/** Users whose last time waits for the database, when that is away. */
export const SEEN_WAITING_MAX = 100_000;
/** After a failure the database is left alone for so long. */
const RECORD_AGAIN_MS = 5_000;
/** For the last reports of a gateway that ends. */
const LAST_REPORT_MS_MAX = 2_000;

/** A device that is connected here, or was a moment ago. */
interface LocalDevice {
  readonly userId: string;
  readonly deviceId: string;
  readonly sockets: Set<Connection>;
  connectedAt: number;
  status: SessionStatus;
  /** The last event of any of its sockets that have gone. */
  heardAt: number;
  goneAt: number | null;
  reportedAt: number;
  /** When its user was last recorded as there. */
  recordedAt: number;
  /** What others were last told has changed: they are told again when the report is in. */
  isNews: boolean;
}

/**
 * Reports the devices of this gateway to the session registry: those that came, went, became idle or active, together
 * every tenth of a second, and all others now and then. A device is reported for as long as three heartbeats last from
 * its last sign of life, and one that has gone for as long as it may take to be back without anybody noticing.
 */
@Injectable()
export class SessionReporter implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('SessionReporter');
  private readonly devices = new Map<string, LocalDevice>();
  private readonly due = new Set<LocalDevice>();
  private seen = new Map<string, number>();
  private reporting: Promise<void> | null = null;
  private recording: Promise<void> | null = null;
  private recordAgainAt = Number.NEGATIVE_INFINITY;
  private sweptAt = 0;
  private timer: NodeJS.Timeout | null = null;
  private stopListening: () => void = () => {};

  constructor(
    @Inject(ConnectionRegistry) private readonly connections: ConnectionRegistry,
    @Inject(SessionRegistry) private readonly registry: SessionRegistry,
    @Inject(PresenceRecords) private readonly records: PresenceRecords,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
    @Inject(DoorMetrics) private readonly metrics: DoorMetrics,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {
    connections.onAdded((connection) => this.came(connection));
    connections.onRemoved((connection) => this.went(connection));
  }

  onApplicationBootstrap(): void {
    this.stopListening = this.registry.onReturn(() => {
      for (const device of this.devices.values()) this.due.add(device);
    });
    this.timer = setInterval(() => this.tick(), REPORT_WINDOW_MS);
    this.timer.unref();
  }

  /** Devices that are connected here, and those that went a moment ago. */
  get size(): number {
    return this.devices.size;
  }

  /** Whoever is still here goes with this gateway. */
  async onModuleDestroy(): Promise<void> {
    this.stopListening();
    if (this.timer) clearInterval(this.timer);
    for (const device of this.devices.values()) if (device.goneAt === null) this.gone(device);
    await withDeadline(this.flush(), LAST_REPORT_MS_MAX, () => {});
  }

  /** Called ten times a second. */
  tick(): void {
    const now = this.settings.now();
    if (Math.abs(now - this.sweptAt) >= SWEEP_EVERY_MS) this.sweep(now);
    if (this.due.size > 0 && !this.reporting) {
      this.reporting = this.report().finally(() => (this.reporting = null));
    }
    const mayRecord = now >= this.recordAgainAt || this.recordAgainAt > now + RECORD_AGAIN_MS;
    if (this.seen.size > 0 && !this.recording && mayRecord) {
      this.recording = this.record().finally(() => (this.recording = null));
    }
  }

  private came(connection: Connection): void {
    const { userId, deviceId } = connection;
    const now = this.settings.now();
    const key = `${userId}/${deviceId}`;
    let device = this.devices.get(key);
    if (!device) {
      device = {
        userId,
        deviceId,
        sockets: new Set(),
        connectedAt: now,
        status: 'online',
        heardAt: 0,
        goneAt: null,
        reportedAt: Number.NEGATIVE_INFINITY,
        recordedAt: now,
        isNews: true,
      };
      this.devices.set(key, device);
      // So that a crash of this process leaves a time that is not too old.
      this.wasSeen(userId, now);
    }
    device.sockets.add(connection);
    if (device.goneAt === null && device.reportedAt > 0 && device.status === 'online') return;
    if (device.goneAt !== null) device.connectedAt = now;
    device.goneAt = null;
    this.changed(device, 'online');
  }

  private went(connection: Connection): void {
    const device = this.devices.get(`${connection.userId}/${connection.deviceId}`);
    if (!device?.sockets.delete(connection)) return;
    device.heardAt = Math.max(device.heardAt, connection.lastEventAt);
    if (device.sockets.size === 0) this.gone(device);
  }

  private gone(device: LocalDevice): void {
    device.goneAt = this.settings.now();
    // Who was silent for so long that it counted as gone before went then.
    const lastSign = lastSignOf(device);
    this.wasSeen(device.userId, device.goneAt - lastSign < SESSION_TTL_MS ? device.goneAt : lastSign);
    this.changed(device, device.status);
  }

  private changed(device: LocalDevice, status: SessionStatus): void {
    device.status = status;
    device.isNews = true;
    this.due.add(device);
  }

  private wasSeen(userId: string, at: number): void {
    if (this.seen.size < SEEN_WAITING_MAX || this.seen.has(userId)) {
      this.seen.set(userId, Math.max(at, this.seen.get(userId) ?? at));
    }
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const device of this.devices.values()) {
      if (device.goneAt === null) {
        const status = this.statusOf(device, now);
        if (status !== device.status) this.changed(device, status);
        if (Math.abs(now - device.recordedAt) >= RECORD_EVERY_MS) {
          device.recordedAt = now;
          this.wasSeen(device.userId, lastSignOf(device));
        }
      }
      if (Math.abs(now - device.reportedAt) >= REFRESH_EVERY_MS) this.due.add(device);
    }
  }

  private statusOf({ sockets }: LocalDevice, now: number): SessionStatus {
    for (const { lastActiveAt } of sockets) if (now - lastActiveAt < this.settings.idleAfterMs) return 'online';
    return 'idle';
  }

  private async report(): Promise<void> {
    const devices = [...this.due];
    this.due.clear();
    const now = this.settings.now();
    const told = devices.filter(({ isNews }) => isNews);
    for (const device of devices) {
      device.isNews = false;
      device.reportedAt = now;
    }
    // What went is forgotten when that is in; what came back meanwhile is not.
    const gone = devices.filter(({ goneAt }) => goneAt !== null);
    const isIn = await this.registry.put(devices.map((device) => this.reportOf(device, now)));
    for (const device of gone) if (isIn || now - device.goneAt! >= SESSION_TTL_MS) this.forget(device);
    if (!isIn) return this.notIn(devices, told);
    const userIds = new Set(told.map(({ userId }) => userId));
    await this.broadcast.publish([...userIds].map((userId) => ({ type: 'presence-changed', userId })));
  }

  private reportOf(device: LocalDevice, now: number): SessionReport {
    const { userId, deviceId, status, connectedAt, goneAt } = device;
    const aliveMs = SESSION_TTL_MS - (now - lastSignOf(device));
    const ttlMs = goneAt === null ? aliveMs : Math.min(aliveMs, goneAt + this.settings.offlineAfterMs - now);
    const { gatewayId } = this.settings;
    return { userId, deviceId, gatewayId, status, connected: goneAt === null, connectedAt, ttlMs };
  }

  private forget(device: LocalDevice): void {
    // Came back while it was reported as gone.
    if (device.goneAt === null || this.due.has(device)) return;
    this.devices.delete(`${device.userId}/${device.deviceId}`);
  }

  /** Reported again with the next sweep. */
  private notIn(devices: readonly LocalDevice[], told: readonly LocalDevice[]): void {
    this.metrics.sessionReportFailed();
    for (const device of told) device.isNews = true;
    for (const device of devices) device.reportedAt = Number.NEGATIVE_INFINITY;
  }

  private async record(): Promise<void> {
    const { seen } = this;
    this.seen = new Map();
    try {
      await this.records.recordSeen([...seen].map(([userId, at]) => ({ userId, at })));
    } catch (error) {
      this.logger.warn(`When ${seen.size} users were last here could not be recorded: ${String(error)}`);
      this.recordAgainAt = this.settings.now() + RECORD_AGAIN_MS;
      for (const [userId, at] of seen) this.wasSeen(userId, at);
    }
  }

  private async flush(): Promise<void> {
    await Promise.all([this.reporting, this.recording]);
    if (this.due.size > 0) await this.report();
    if (this.seen.size > 0) await this.record();
  }
}

/** When something was last heard of the device. */
function lastSignOf({ sockets, heardAt }: LocalDevice): number {
  let at = heardAt;
  for (const { lastEventAt } of sockets) if (lastEventAt > at) at = lastEventAt;
  return at;
}
