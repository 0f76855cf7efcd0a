import type { AccountStore } from '@parley/domain';

const PURGE_MS = 3_600_000;
const PURGE_ROWS_MAX = 1_000;

/** Deletes sessions that nobody can use any more, every hour, a thousand rows a statement. */
export class SessionPurge {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly accounts: AccountStore,
    private readonly onTrouble: (error: unknown) => void = () => {},
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.purge().catch(this.onTrouble), PURGE_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** How many went. */
  async purge(): Promise<number> {
    let gone = 0;
    for (;;) {
      const batch = await this.accounts.purgeExpiredSessions(PURGE_ROWS_MAX);
      gone += batch;
      if (batch < PURGE_ROWS_MAX || this.stopped) return gone;
    }
  }
}
