import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Lets Node run the sources as they are: their imports say `.js`, the files are `.ts`. */
const RESOLVE_SOURCES = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      const isSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
      return next(isSource ? specifier.replace(/\\.js$/, '.ts') : specifier, context);
    },
  });`;
const PROGRAM = fileURLToPath(new URL('./holder-process.ts', import.meta.url));

export interface HolderLine {
  readonly pid?: number;
  readonly serverPid?: number;
  readonly url?: string;
  readonly refused?: string;
  readonly message?: string;
  readonly unexpected?: string;
  readonly stopped?: boolean;
}

/** A separate process that holds a data folder; see `holder-process.ts`. */
export class HolderProcess {
  readonly child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #exited: Promise<unknown>;

  constructor(
    what: 'lock' | 'start' | 'exit',
    dataDir: string,
    options: { uid?: number; ownGroup?: boolean; through?: readonly string[] } = {},
  ) {
    const { uid, ownGroup = false, through = [] } = options;
    const hook = `data:text/javascript,${encodeURIComponent(RESOLVE_SOURCES)}`;
    const command = [...through, process.execPath, '--import', hook, PROGRAM, what, dataDir];
    this.child = spawn(command[0] ?? '', command.slice(1), {
      ...(uid === undefined ? {} : { uid, gid: uid }),
      detached: ownGroup,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#exited = once(this.child, 'exit');
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next thing the process says. */
  async line(): Promise<HolderLine> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process ended without a word');
    return JSON.parse(value) as HolderLine;
  }

  /** Lets it stop in good order, and answers when it has ended. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.#exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }
}

/** An ended process that its parent has not collected yet counts as gone. */
export async function isAlive(pid: number): Promise<boolean> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
    return !/\) [ZX]/.test(stat);
  }
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
