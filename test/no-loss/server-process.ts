import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '..', '..');
const START_SCRIPT = join(root, 'scripts', 'start.mjs');
/** Restarts skip the look at the sources: what is being tested stays the same for the whole run. */
const MAIN = join(root, 'dist', 'apps', 'standalone', 'main.js');
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
const OUTPUT_KEPT_CHARS = 4_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The product as a real process, started again and again on one data folder and one port. */
export class ServerProcess {
  private child: ChildProcess | undefined;
  private ending: Promise<Ending> = Promise.resolve({ code: null, signal: null });
  private isBuilt = false;
  private output = '';

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

  /** What it said last, for whoever has to find out why a run failed. */
  get lastWords(): string {
    return this.output.slice(-OUTPUT_KEPT_CHARS);
  }

  /** Resolves with the milliseconds until it said that it is ready. */
  async start(failPoint?: string): Promise<number> {
    const began = performance.now();
    const child = spawn(process.execPath, this.isBuilt ? [MAIN] : [START_SCRIPT], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: String(this.port),
        DATA_DIR: this.dataDir,
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        ...this.environment,
        ...(failPoint !== undefined && { FAIL_POINT: failPoint }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.isBuilt = true;
    this.output = '';
    this.ending = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Ending);
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => (this.output += String(part)));
    const isReady = (): boolean => /^ready /m.test(this.output);
    while (!isReady()) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() - began > START_TIMEOUT_MS) {
        child.kill('SIGKILL');
        throw new Error(`The server did not become ready: ${this.lastWords}`);
      }
      await delay(10);
    }
    return performance.now() - began;
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** @throws when it is still there after the time */
  async end(timeoutMs: number): Promise<Ending> {
    const ending = await Promise.race([this.ending, delay(timeoutMs, undefined, { ref: false })]);
    if (!ending) throw new Error(`The server was still there after ${timeoutMs} ms: ${this.lastWords}`);
    return ending;
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
