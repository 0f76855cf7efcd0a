import type { ShutdownLog, ShutdownReport } from './shutdown.js';

/** The parts of `process` that matter here, so that a test can be one. */
export interface ProcessLike {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
}

export interface ProcessEndOptions {
  readonly process: ProcessLike;
  readonly log: ShutdownLog;
  /** Stops everything within the bound; never rejects. */
  readonly stop: (totalMs: number) => Promise<ShutdownReport>;
  /** Writes out the last log lines. */
  readonly flush: () => Promise<void>;
  readonly timeoutMs: number;
  readonly crashTimeoutMs: number;
}

export interface ProcessEnd {
  /** Ends the process as an error that nobody caught does: what it cannot work without is gone. */
  readonly crash: (error: unknown) => void;
  /** Takes all listeners away again. */
  readonly release: () => void;
}

/** SIGHUP: the terminal was closed, or the connection to it is gone. */
const SIGNALS = { SIGTERM: 15, SIGINT: 2, SIGHUP: 1 } as const;
const SIGNALLED_EXIT_CODE = 128;
/** npm passes on what a terminal has sent to its whole group already: the same request, moments later. */
const SAME_REQUEST_MS = 500;

/**
 * Decides how the process ends. A first SIGTERM, SIGINT or SIGHUP stops it in order and it exits with 0. A second SIGTERM
 * or SIGINT exits at once, with 128 + the signal's number, unless it repeats the first within half a second. An error that nobody caught leaves state that cannot be trusted: it is logged, the same
 * stop runs under a shorter bound, and the exit code is 1, so that a supervisor starts it anew.
 */
export function endProcessInOrder(options: ProcessEndOptions): ProcessEnd {
  const { process, log, stop, flush, timeoutMs, crashTimeoutMs } = options;
  let ending = false;
  let first: { signal: string; at: number } | undefined;
  /** Nobody is in a hurry who closes a terminal, and supervisors send it right behind a SIGTERM. */
  const isHurry = (signal: string): boolean =>
    signal !== 'SIGHUP' && (signal !== first?.signal || performance.now() - first.at > SAME_REQUEST_MS);

  const end = async (code: number, totalMs: number): Promise<void> => {
    ending = true;
    const { failed } = await stop(totalMs);
    log.info({ failed }, 'stopped');
    await flush();
    process.exit(code);
  };

  const listeners: [string, (...args: unknown[]) => void][] = Object.entries(SIGNALS).map(([signal, number]) => [
    signal,
    () => {
      if (ending) {
        if (isHurry(signal)) process.exit(SIGNALLED_EXIT_CODE + number);
        return;
      }
      first = { signal, at: performance.now() };
      log.info({ signal }, 'stopping');
      void end(0, timeoutMs);
    },
  ]);
  const crash = (error: unknown, event: string): void => {
    log.error({ err: error, event }, 'an error that nobody caught: this process ends');
    if (!ending) void end(1, crashTimeoutMs); // A stop that is under way is bounded already.
  };
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    listeners.push([event, (error) => crash(error, event)]);
  }

  for (const [event, listener] of listeners) process.on(event, listener);
  return {
    crash: (error) => crash(error, 'crash'),
    release: () => {
      for (const [event, listener] of listeners) process.off(event, listener);
    },
  };
}
