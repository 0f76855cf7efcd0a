import pg from 'pg';
import { ParameterWriter } from '../sql/parameter-writer.js';
import { BinaryQuery, type BinaryStatement, UnwritableParameter } from './binary-query.js';

const CONNECT_MS_MAX = 3_000;
const STATEMENT_MS_MAX = 10_000;

/**
 * The one connection over which all batches are committed. It plans without statistics in mind (no sequential scans, no
 * hash or merge joins): every part of a batch is a few rows found by key, and a plan made while the tables were empty
 * must not scan them later. It is opened again after it broke.
 */
export class CommitConnection {
  private client: pg.Client | null = null;
  private writer = new ParameterWriter();

  constructor(private readonly url: string) {}

  /**
   * Runs a statement; one at a time. `onSent` is called when it is on its way as a whole; perhaps twice, or never when
   * it fails.
   * @throws UnwritableParameter, DatabaseError when the server refuses; anything else when the connection cannot be had
   * or breaks: what was asked may or may not have happened
   */
  async execute(statement: BinaryStatement, onSent: () => void = () => {}): Promise<void> {
    const client = this.client ?? (await this.open());
    try {
      await new Promise<void>((resolve, reject) => {
        const end = (error: Error | null): void => (error ? reject(error) : resolve());
        client.query(new BinaryQuery(statement, this.writer, end, onSent));
      });
    } catch (error) {
      // A server's own refusal leaves the connection usable; anything else does not.
      if (!isServerAnswer(error) && !(error instanceof UnwritableParameter)) await this.discard(client);
      throw error;
    }
  }

  async close(): Promise<void> {
    const client = this.client;
    this.client = null;
    await client?.end();
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'parley-commit',
      connectionTimeoutMillis: CONNECT_MS_MAX,
      statement_timeout: STATEMENT_MS_MAX,
      query_timeout: STATEMENT_MS_MAX + 1_000,
      options:
        '-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_generic_plan',
    });
    client.on('error', () => void this.discard(client));
    await client.connect();
    this.client = client;
    return client;
  }

  private async discard(client: pg.Client): Promise<void> {
    if (this.client === client) this.client = null;
    // The socket that broke may still hold on to what was written.
    this.writer = new ParameterWriter();
    await client.end().catch(() => {});
  }
}

/** SQLSTATE classes 57 (operator intervention: shutdown, cancelled) and 08 (connection) end the connection or the certainty. */
function isServerAnswer(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return false;
  return !error.code.startsWith('57') && !error.code.startsWith('08');
}
