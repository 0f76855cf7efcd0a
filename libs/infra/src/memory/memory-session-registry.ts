import {
  type DeviceSession,
  SessionRegistry,
  type SessionReport,
  type SessionsByUser,
  SESSIONS_PER_USER_MAX,
} from '@parley/domain';

/** What has ended is forgotten when its user is asked for, and all of it together so often. */
const SWEEP_EVERY_MS = 30_000;

type Entry = Omit<SessionReport, 'ttlMs'> & { endsAt: number };

/** The sessions of this process, which is the only one. Never away. */
export class MemorySessionRegistry extends SessionRegistry {
  private readonly users = new Map<string, Map<string, Entry>>();
  private sweptAt = Number.NEGATIVE_INFINITY;

  /** @param nowMs milliseconds on a clock that is never set back */
  constructor(private readonly nowMs: () => number = () => performance.now()) {
    super();
  }

  /** Users that are remembered, with or without a session that goes on. */
  get size(): number {
    return this.users.size;
  }

  override put(reports: readonly SessionReport[]): Promise<boolean> {
    const now = this.nowMs();
    if (now - this.sweptAt >= SWEEP_EVERY_MS) this.sweep(now);
    for (const report of reports) this.take(report, now);
    return Promise.resolve(true);
  }

  override ofUsers(userIds: readonly string[]): Promise<SessionsByUser | null> {
    const now = this.nowMs();
    const found = new Map<string, readonly DeviceSession[]>();
    for (const userId of userIds) {
      const sessions: DeviceSession[] = [];
      for (const { endsAt, ...session } of this.livingOf(userId, now)?.values() ?? []) {
        sessions.push({ ...session, expiresInMs: endsAt - now });
      }
      if (sessions.length > 0) found.set(userId, sessions);
    }
    return Promise.resolve(found);
  }

  override onReturn(): () => void {
    return () => {};
  }

  private take({ ttlMs, ...session }: SessionReport, now: number): void {
    const { userId, gatewayId, deviceId } = session;
    const place = `${gatewayId}/${deviceId}`;
    const devices = this.livingOf(userId, now);
    if (ttlMs <= 0) {
      devices?.delete(place);
      if (devices?.size === 0) this.users.delete(userId);
      return;
    }
    const entry = { ...session, endsAt: now + ttlMs };
    if (!devices) this.users.set(userId, new Map([[place, entry]]));
    else if (devices.has(place) || devices.size < SESSIONS_PER_USER_MAX) devices.set(place, entry);
  }

  /** Those of the user's sessions that have not ended; undefined for none. */
  private livingOf(userId: string, now: number): Map<string, Entry> | undefined {
    const devices = this.users.get(userId);
    if (!devices) return undefined;
    for (const [place, { endsAt }] of devices) if (endsAt <= now) devices.delete(place);
    if (devices.size > 0) return devices;
    this.users.delete(userId);
    return undefined;
  }

  private sweep(now: number): void {
    this.sweptAt = now;
    for (const userId of this.users.keys()) this.livingOf(userId, now);
  }
}
