import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { access } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-postgres-error.js';
import { IMMEDIATE_STOP_MS_MAX, readPostmasterFile } from './orphan-server.js';
import type { Launch } from './server-account.js';
import type { ServerLog } from './server-log.js';

const READY_POLL_MS = 5;
const RETRY_MS = 100;
/** Children of a server that was killed hold its shared memory until they notice, which takes them moments. */
const STILL_IN_USE = 'pre-existing shared memory block';

export interface ServerProcessOptions {
  readonly program: string;
  readonly clusterDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly launch: Launch;
  readonly log: ServerLog;
}

/** One run of the server program: started, watched, stopped. */
export class ServerProcess {
  readonly #options: ServerProcessOptions;
  readonly #listeners: ((why: string) => void)[] = [];
  #child: ChildProcess | undefined;
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  #exited: Promise<void> = Promise.resolve();
  #stopping = false;
  #unexpected: string | undefined;
  /** Runs when this process exits with the server up or on its way, by `process.exit` or an uncaught error. */
  readonly #lastOrder = (): void => void this.#child?.kill('SIGINT');

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when connections are accepted. @throws EmbeddedPostgresError after which nothing runs any more. */
  async start(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    process.once('exit', this.#lastOrder);
    try {
      for (;;) {
        await this.#spawn();
        if (await this.#becomesReady(deadline)) break;
        const tail = await this.#options.log.tail();
        if (!tail.includes(STILL_IN_USE) || Date.now() > deadline) throw didNotStart(tail, this.#exitText());
        await delay(RETRY_MS);
      }
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    void this.#exited.then(() => this.#reportUnexpectedExit());
    // The server alone must not keep this process alive.
    this.#child?.unref();
  }

  onUnexpectedExit(listener: (why: string) => void): void {
    if (this.#unexpected === undefined) this.#listeners.push(listener);
    else listener(this.#unexpected);
  }

  /**
   * Asks for a fast shutdown (open transactions are rolled back, a checkpoint is written); after `timeoutMs` for an
   * immediate one, which the next start has to recover from.
   */
  async stop(timeoutMs: number): Promise<'clean' | 'forced'> {
    this.#stopping = true;
    process.off('exit', this.#lastOrder);
    this.#child?.ref();
    let signals = 0;
    const steps: readonly [NodeJS.Signals, number][] = [
      ['SIGINT', timeoutMs],
      ['SIGQUIT', IMMEDIATE_STOP_MS_MAX],
      ['SIGKILL', IMMEDIATE_STOP_MS_MAX],
    ];
    for (const [signal, patienceMs] of steps) {
      if (this.#child === undefined || this.#exit !== undefined) break;
      this.#child.kill(signal);
      signals += 1;
      await within(this.#exited, patienceMs);
    }
    await this.#options.log.close();
    return signals > 1 ? 'forced' : 'clean';
  }

  async #spawn(): Promise<void> {
    const { program, clusterDir, env, launch, log } = this.#options;
    const [file, ...args] = [...launch.prefix, program, '-D', clusterDir];
    const child = spawn(file, args, {
      ...launch.account,
      cwd: clusterDir,
      env,
      // A session of its own: a terminal's Ctrl-C is for us alone.
      detached: true,
      stdio: ['ignore', log.descriptor, log.descriptor],
    });
    this.#child = child;
    this.#exit = undefined;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve();
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        this.#child = undefined;
        reject(error);
      });
    }).catch(async (error: unknown) => {
      throw await cannotRun(program, error);
    });
  }

  /** @returns false when the server ended instead. */
  async #becomesReady(deadline: number): Promise<boolean> {
    while (this.#exit === undefined) {
      const file = await readPostmasterFile(this.#options.clusterDir);
      if (file?.pid === this.pid && file.status === 'ready') return true;
      if (Date.now() > deadline) {
        const tail = await this.#options.log.tail();
        throw new EmbeddedPostgresError(`The database server was not ready in time. Its log ends with: ${tail}`);
      }
      await delay(READY_POLL_MS);
    }
    return false;
  }

  async #reportUnexpectedExit(): Promise<void> {
    process.off('exit', this.#lastOrder);
    if (this.#stopping) return;
    const tail = await this.#options.log.tail().catch(() => '');
    const why = `The database server ended (${this.#exitText()}). Its log ends with: ${lastLines(tail)}`;
    this.#unexpected = why;
    for (const listener of this.#listeners) listener(why);
  }

  #exitText(): string {
    if (this.#exit?.signal) return `signal ${this.#exit.signal}`;
    return `exit code ${this.#exit?.code ?? 'unknown'}`;
  }
}

async function within(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const abort = new AbortController();
  await Promise.race([promise, delay(timeoutMs, undefined, { signal: abort.signal }).catch(() => undefined)]);
  abort.abort();
}

function didNotStart(tail: string, exit: string): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`The database server did not start (${exit}): ${lastLines(tail)}`);
}

function lastLines(text: string): string {
  return text.split('\n').slice(-6).join(' | ');
}

async function cannotRun(program: string, error: unknown): Promise<EmbeddedPostgresError> {
  const exists = await access(program).then(
    () => true,
    () => false,
  );
  const hint = exists
    ? '; the bundled PostgreSQL needs a system with glibc (Debian, Ubuntu, Fedora …, not Alpine)'
    : '';
  return new EmbeddedPostgresError(`The database server ${program} could not be run (${String(error)})${hint}.`);
}
