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

const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;
const SIGNALLED_EXIT_CODE = 128;

/**
 * Decides how the process ends. A first SIGTERM or SIGINT stops it in order and it exits with 0; a second one exits at
 * once, with 128 + the signal's number. An error that nobody caught leaves state that cannot be trusted: it is logged, the same
 * stop runs under a shorter bound, and the exit code is 1, so that a supervisor starts it anew.
 * @returns a function that takes all listeners away again
 */
export function endProcessInOrder(options: ProcessEndOptions): () => void {
  const { process, log, stop, flush, timeoutMs, crashTimeoutMs } = options;
  let ending = false;

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
        process.exit(SIGNALLED_EXIT_CODE + number);
        return;
      }
      log.info({ signal }, 'stopping');
      void end(0, timeoutMs);
    },
  ]);
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    listeners.push([
      event,
      (error) => {
        log.error({ err: error, event }, 'an error that nobody caught: this process ends');
        if (ending) return; // The stop under way is bounded already.
        void end(1, crashTimeoutMs);
      },
    ]);
  }

  for (const [event, listener] of listeners) process.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) process.off(event, listener);
  };
}
