import { startEmbeddedPostgres } from '@parley/infra';
import pg from 'pg';
import { recordEvents, recordReadModels, type RecordedEvent } from './final-rows.js';
import { contentHash, type HistoryRecorder } from './history.js';
import { ServerProcess } from './server-process.js';
import { until, type ServerUnderTest } from './server-under-test.js';

const FAULT_TIMEOUT_MS = 40_000;
const STOP_TIMEOUT_MS = 35_000;

export const FAIL_POINT_FAULTS = ['after-decide', 'during-commit', 'after-commit', 'after-broadcast'] as const;
/** A fail point of the server, its death at any time, or that of its database server. */
export const EMBEDDED_FAULTS: readonly string[] = [...FAIL_POINT_FAULTS, 'kill', 'kill-postgres'];

/** The embedded profile: one process, which brings its database server. */
export class EmbeddedUnderTest implements ServerUnderTest {
  readonly readyMs: number[] = [];

  private constructor(
    private readonly server: ServerProcess,
    private readonly dataDir: string,
  ) {}

  static async prepare(dataDir: string): Promise<EmbeddedUnderTest> {
    const environment = { AUTH_ACCESS_TOKEN_SECONDS: '86400' };
    return new EmbeddedUnderTest(await ServerProcess.prepare(dataDir, environment), dataDir);
  }

  get url(): string {
    return this.server.url;
  }

  get lastWords(): string {
    return this.server.lastWords;
  }

  async start(): Promise<void> {
    // A server that starts with a fail point may die while the users sign up: the first one has none.
    await this.server.start();
  }

  async strike(fault: string, effect: () => void): Promise<void> {
    if (fault === 'kill-postgres') await this.killPostgres(effect);
    else await this.killServer(fault, effect);
  }

  async stop(): Promise<number | null> {
    this.server.signal('SIGTERM');
    return (await this.server.end(STOP_TIMEOUT_MS)).code;
  }

  async recordStores(history: HistoryRecorder): Promise<{ deadLetters: number }> {
    const server = await startEmbeddedPostgres({ dataDir: this.dataDir, log: () => undefined });
    const client = new pg.Client({ connectionString: server.url });
    try {
      await client.connect();
      const stream = await client.query<RecordedEvent>(
        'SELECT conversation_id AS conversation, payload FROM event_stream ORDER BY partition, "offset", index',
      );
      recordEvents(stream.rows, history);
      await recordMessages(client, history);
      return await recordReadModels(client, history);
    } finally {
      await client.end();
      await server.stop();
    }
  }

  async destroy(): Promise<void> {
    await this.server.destroy();
  }

  private async killServer(fault: string, effect: () => void): Promise<void> {
    if (fault === 'kill') this.server.signal('SIGKILL');
    else {
      // The fail point is armed by a start of its own, which is a fault too: the process before it is killed.
      this.server.signal('SIGKILL');
      await this.server.end(FAULT_TIMEOUT_MS);
      await this.server.start(`${fault}:${50 + Math.floor(Math.random() * 150)}`);
    }
    const { signal } = await this.server.end(FAULT_TIMEOUT_MS);
    if (signal === 'SIGKILL') effect();
    this.readyMs.push(await this.server.start());
  }

  private async killPostgres(effect: () => void): Promise<void> {
    const pid = await this.server.postmaster();
    if (pid === undefined) throw new Error('There is no database server to kill');
    process.kill(pid, 'SIGKILL');
    const isAnother = async (): Promise<boolean> => ![undefined, pid].includes(await this.server.postmaster());
    await until(isAnother, FAULT_TIMEOUT_MS);
    effect();
  }
}

async function recordMessages(client: pg.Client, history: HistoryRecorder): Promise<void> {
  const messages = await client.query<Record<string, string>>(
    `SELECT conversation_id, seq, message_id, rev, sender_id, content, client_msg_id FROM message
     ORDER BY conversation_id, seq`,
  );
  for (const row of messages.rows) {
    history.record({
      type: 'row',
      conversation: row['conversation_id'] as string,
      seq: Number(row['seq']),
      messageId: row['message_id'] as string,
      rev: Number(row['rev']),
      senderId: row['sender_id'] as string,
      clientMsgId: row['client_msg_id'] as string,
      hash: contentHash(row['content'] as string),
    });
  }
}
