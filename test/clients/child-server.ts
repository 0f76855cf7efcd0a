import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A few seconds, where nothing else wants the processor. */
const START_TIMEOUT_MS = 120_000;
const OUTPUT_KEPT_CHARS = 4_000;

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const running = new Set<ChildProcess>();
function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

// A test process that ends in the middle leaves no server behind; a Ctrl-C reaches this process alone.
process.once('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  });
}

/** A process of the product, that says `ready` once it serves; started again and again. */
export class ChildServer {
  private child: ChildProcess | undefined;
  private ending: Promise<Ending> = Promise.resolve({ code: null, signal: null });
  private output = '';

  /** What it said last, for whoever has to find out why a run failed. */
  get lastWords(): string {
    return this.output.slice(-OUTPUT_KEPT_CHARS);
  }

  get pid(): number | undefined {
    return this.isRunning ? this.child?.pid : undefined;
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves with the milliseconds until it said that it is ready. @throws when it ends before, or takes two minutes */
  async start(script: string, environment: Readonly<Record<string, string>>): Promise<number> {
    const began = performance.now();
    const child = spawn(process.execPath, [script], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a session of its own, as where it is really run: Linux divides a busy machine among sessions, and those of one
      // would have to share with the test, and with each other, what each engine has for itself.
      detached: true,
    });
    this.child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.output = '';
    this.ending = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Ending);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => (this.output = `${this.output}${String(part)}`.slice(-4 * OUTPUT_KEPT_CHARS)));
    }
    const isReady = (): boolean => /^ready /m.test(this.output);
    while (!isReady()) {
      if (!this.isRunning || performance.now() - began > START_TIMEOUT_MS) {
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
}

/** A port that was free a moment ago, for processes whose address others must know before they listen. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
