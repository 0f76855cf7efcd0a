import pg from 'pg';

/** Any number, the same in every process, and another one than the migrations'. */
const SERVER_LOCK = 7_233_519_402;
const CONNECT_MS_MAX = 3_000;
const RETRY_MS = 500;

/** Says in one sentence that another server works on this database. */
export class DatabaseBusyError extends Error {
  constructor() {
    super(
      'Another Parley server works on the database that DATABASE_URL names: stop that one, or use another database.',
    );
  }
}

/**
 * One server for a database, as the embedded profile needs it: caches in the process follow only its own commits. Held
 * by a connection, so it ends with the process whatever happens to it; taken again after the database was restarted.
 */
export class DatabaseLock {
  private client: pg.Client | null = null;
  private released = false;
  private retry: NodeJS.Timeout | null = null;

  private constructor(
    private readonly url: string,
    private readonly onLost: (error: Error) => void,
    private readonly shared: boolean,
  ) {}

  /**
   * @param onLost the connection broke and another server has the database by now: this one must end
   * @param shared taken together with other processes of a cluster, which a server that works alone keeps out as they
   * keep it out
   * @throws DatabaseBusyError, or what the driver throws when the database cannot be reached
   */
  static async acquire(url: string, onLost: (error: Error) => void, shared = false): Promise<DatabaseLock> {
    const lock = new DatabaseLock(url, onLost, shared);
    await lock.take();
    return lock;
  }

  async release(): Promise<void> {
    this.released = true;
    if (this.retry) clearTimeout(this.retry);
    const { client } = this;
    this.client = null;
    await client?.end();
  }

  private async take(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: CONNECT_MS_MAX,
      application_name: 'parley-lock',
      keepAlive: true,
    });
    client.on('error', () => {});
    await client.connect();
    const take = this.shared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock';
    const { rows } = await client.query<{ taken: boolean }>(`SELECT ${take}($1) AS taken`, [SERVER_LOCK]);
    if (!rows[0]?.taken) {
      await client.end();
      throw new DatabaseBusyError();
    }
    client.on('end', () => this.broken(client));
    this.client = client;
    if (this.released) await this.release();
  }

  private broken(client: pg.Client): void {
    if (this.client !== client || this.released) return;
    this.client = null;
    this.takeAgain();
  }

  private takeAgain(): void {
    this.retry = setTimeout(() => {
      this.take().catch((error: unknown) => {
        if (error instanceof DatabaseBusyError) this.onLost(error);
        else if (!this.released) this.takeAgain();
      });
    }, RETRY_MS);
  }
}
