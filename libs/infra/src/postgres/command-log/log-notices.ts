import pg from 'pg';

/** The channel on which appends tell the numbers of their partitions, separated by commas. */
export const LOG_CHANNEL = 'parley_command_log';
const CONNECT_MS_MAX = 3_000;
const RECONNECT_MS = 500;

interface Waiter {
  partitions: ReadonlyMap<number, unknown>;
  wake: () => void;
}

/**
 * Hears of appends by other processes, over a connection of its own that is opened when somebody first waits, and again
 * after it broke. What is said meanwhile is lost: whoever waits looks for itself from time to time.
 */
export class LogNotices {
  /** Grows with every notice: tells whether one came between looking and waiting. */
  heard = 0;
  private client: pg.Client | null = null;
  private opening: Promise<void> | null = null;
  private nextAttemptAt = 0;
  private waiters: Waiter[] = [];
  private closed = false;

  constructor(private readonly url: string) {}

  /** False while notices would be missed. */
  get listening(): boolean {
    return this.client !== null;
  }

  /** Ends with a notice about one of the partitions that came after `seen`, or after that time. */
  async wait(partitions: ReadonlyMap<number, unknown>, seen: number, waitMs: number): Promise<void> {
    this.openUnlessOpen();
    if (this.heard !== seen || this.closed) return;
    await new Promise<void>((resolve) => {
      const waiter: Waiter = {
        partitions,
        wake: () => {
          clearTimeout(timer);
          this.waiters = this.waiters.filter((other) => other !== waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.wake, waitMs);
      this.waiters.push(waiter);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { wake } of this.waiters) wake();
    await this.opening;
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => {});
  }

  private openUnlessOpen(): void {
    if (this.client || this.opening || this.closed || performance.now() < this.nextAttemptAt) return;
    this.nextAttemptAt = performance.now() + RECONNECT_MS;
    // A failed attempt is repeated by the next one who waits, who meanwhile looks often.
    this.opening = this.open()
      .catch(() => {})
      .finally(() => (this.opening = null));
  }

  private async open(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'parley-log',
      connectionTimeoutMillis: CONNECT_MS_MAX,
      query_timeout: CONNECT_MS_MAX,
      keepAlive: true,
    });
    const lost = (): void => {
      client.end().catch(() => {});
      if (this.client !== client) return;
      this.client = null;
      this.wakeAll();
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', ({ payload = '' }) => this.hear(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${LOG_CHANNEL}`);
    } catch (error) {
      lost();
      throw error;
    }
    if (this.closed) return lost();
    this.client = client;
    // What was appended before the connection listened has told nobody.
    this.wakeAll();
  }

  private wakeAll(): void {
    this.heard += 1;
    for (const { wake } of this.waiters) wake();
  }

  private hear(payload: string): void {
    this.heard += 1;
    if (this.waiters.length === 0) return;
    const partitions = payload.split(',').map(Number);
    for (const { partitions: wanted, wake } of this.waiters) if (partitions.some((p) => wanted.has(p))) wake();
  }
}
