import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChildServer, freePort, type Ending } from '../clients/child-server.js';

const root = join(import.meta.dirname, '..', '..');
const START_SCRIPT = join(root, 'scripts', 'start.mjs');
/** Restarts skip the look at the sources: what is being tested stays the same for the whole run. */
const MAIN = join(root, 'dist', 'apps', 'standalone', 'main.js');
const STOP_TIMEOUT_MS = 5_000;

/** The product as a real process, started again and again on one data folder and one port. */
export class ServerProcess {
  private readonly child = new ChildServer();
  private isBuilt = false;

  private constructor(
    readonly dataDir: string,
    private readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async prepare(dataDir: string, environment: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    return new ServerProcess(dataDir, await freePort(), environment);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get lastWords(): string {
    return this.child.lastWords;
  }

  /** Resolves with the milliseconds until it said that it is ready. */
  async start(failPoint?: string): Promise<number> {
    const script = this.isBuilt ? MAIN : START_SCRIPT;
    this.isBuilt = true;
    return this.child.start(script, {
      PORT: String(this.port),
      DATA_DIR: this.dataDir,
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'warn',
      ...this.environment,
      ...(failPoint !== undefined && { FAIL_POINT: failPoint }),
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  /** @throws when it is still there after the time */
  async end(timeoutMs: number): Promise<Ending> {
    return this.child.end(timeoutMs);
  }

  /** Leaves nothing behind, whatever state it is in: not the server, not its database server. */
  async destroy(): Promise<void> {
    this.signal('SIGKILL');
    await this.end(STOP_TIMEOUT_MS);
    const pid = await this.postmaster();
    // A file that a dead server left may name a process of somebody else by now.
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid !== undefined && command.includes(this.dataDir)) process.kill(pid, 'SIGKILL');
  }

  /** The process id of the bundled Postgres, or undefined while there is none. */
  async postmaster(): Promise<number | undefined> {
    const text = await readFile(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
    const [pid, , , , , , , state] = text.split('\n');
    return state?.trim() === 'ready' ? Number(pid) : undefined;
  }
}
