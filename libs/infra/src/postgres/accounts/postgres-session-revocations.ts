import { SessionRevocations } from '@parley/domain';
import { IDLE_IN_TRANSACTION_TIMEOUT_MS, STATEMENT_TIMEOUT_MS, type Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';

const POLL_MS = 1_000;
const BACK_OFF_MS_MAX = 10_000;
const SWEEP_MS = 60_000;
/**
 * A revocation is dated before it is committed. This is how much later the commit can come at most (its statement and
 * the pause after it, each bounded by the server) and some more; each poll looks back that far.
 */
const LATE_COMMIT_MS = STATEMENT_TIMEOUT_MS + IDLE_IN_TRANSACTION_TIMEOUT_MS + 35_000;
/** Longer than any access token lasts; what is announced is kept so long unless the database says when it may go. */
const ANNOUNCED_KEPT_MS = 25 * 3_600_000;

type Listener = (sessionIds: readonly string[]) => void;

export interface RevocationPolling {
  pollMs?: number;
  /** Told when polling begins to fail (with the error) and when it works again (with null). */
  onTrouble?: (error: unknown) => void;
}

/** Remembers the revoked sessions whose access tokens may still live, and polls the database for more. */
export class PostgresSessionRevocations extends SessionRevocations {
  /** Session → when its last access token has run out, by this process's clock. */
  private readonly revoked = new Map<string, number>();
  private readonly listeners = new Set<Listener>();
  private readonly pollMs: number;
  private readonly onTrouble: (error: unknown) => void;
  private timer: NodeJS.Timeout | undefined;
  private polling: Promise<void> = Promise.resolve();
  private stopped = false;
  private failures = 0;
  private lastPolledMs = { wall: 0, monotonic: 0 };
  private lastSweptMs = 0;

  constructor(
    private readonly database: Database,
    options: RevocationPolling = {},
  ) {
    super();
    this.pollMs = options.pollMs ?? POLL_MS;
    this.onTrouble = options.onTrouble ?? (() => {});
  }

  /** Loads what is known so far, then polls. @throws DomainError `store_unavailable` */
  async start(): Promise<void> {
    await this.read(null);
    this.schedule(this.pollMs);
  }

  /** Waits for a running poll. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.polling;
  }

  async onModuleInit(): Promise<void> {
    await this.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.stop();
  }

  override isRevoked(sessionId: string): boolean {
    return this.revoked.has(sessionId);
  }

  override announce(sessionIds: readonly string[]): void {
    this.add(sessionIds.map((sessionId) => [sessionId, Date.now() + ANNOUNCED_KEPT_MS]));
  }

  override onRevoked(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.polling = this.poll();
    }, afterMs);
    this.timer.unref();
  }

  private async poll(): Promise<void> {
    try {
      const { wall, monotonic } = this.lastPolledMs;
      // The longer of two clocks: one stops while the machine sleeps, the other may be set back.
      const passedMs = Math.max(Date.now() - wall, performance.now() - monotonic);
      await this.read(passedMs + LATE_COMMIT_MS);
      this.sweep();
      if (this.failures > 0) this.onTrouble(null);
      this.failures = 0;
      this.schedule(this.pollMs);
    } catch (error) {
      if (this.failures++ === 0) this.onTrouble(error);
      this.schedule(Math.min(this.pollMs * 2 ** Math.min(this.failures, 10), BACK_OFF_MS_MAX));
    }
  }

  /** Those revoked in the last `withinMs`; with null, all. */
  private async read(withinMs: number | null): Promise<void> {
    const began = { wall: Date.now(), monotonic: performance.now() };
    const rows = await storeAnswer(async () => {
      const answer = await this.database.pool.query<[string, number]>({
        text: `SELECT session_id, (extract(epoch FROM access_until - now()) * 1000)::float8 FROM sessions
                WHERE revoked_at IS NOT NULL AND access_until > now()
                  ${withinMs === null ? '' : 'AND revoked_at > now() - make_interval(secs => $1)'}`,
        values: withinMs === null ? [] : [withinMs / 1_000],
        rowMode: 'array',
      });
      return answer.rows;
    });
    this.lastPolledMs = began;
    this.add(rows.map(([sessionId, remainingMs]) => [sessionId, began.wall + remainingMs]));
  }

  private add(entries: [sessionId: string, untilMs: number][]): void {
    const news: string[] = [];
    for (const [sessionId, untilMs] of entries) {
      if (!this.revoked.has(sessionId)) news.push(sessionId);
      this.revoked.set(sessionId, untilMs);
    }
    if (news.length === 0) return;
    for (const listener of this.listeners) listener(news);
  }

  private sweep(): void {
    const now = Date.now();
    if (now - this.lastSweptMs < SWEEP_MS) return;
    this.lastSweptMs = now;
    for (const [sessionId, untilMs] of this.revoked) if (untilMs <= now) this.revoked.delete(sessionId);
  }
}
