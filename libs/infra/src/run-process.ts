import { withDeadline } from '@parley/domain';
import type { AppConfig } from './config/configuration.js';
import { endProcessInOrder } from './lifecycle/process-end.js';
import { Shutdown, type ShutdownReport } from './lifecycle/shutdown.js';
import { explainFailure } from './start-failure.js';
import { createLogger, flushLogger, type Logger } from './telemetry/logging.js';
import type { Tracing } from './tracing/tracing-sdk.js';

const STOP_TRACING_TIMEOUT_MS = 4_000;

/** What a process gives its application to start with. */
export interface ProcessDeps {
  readonly logger: Logger;
  /** Steps are added to it as things are opened; it may be run also while the application is still starting. */
  readonly shutdown: Shutdown;
  /** What the process cannot work without is gone: it ends. */
  readonly onLost: (error: Error) => void;
  /** True when a collector is configured: commands and queries get a span each. */
  readonly tracing: boolean;
}

/** Starts an application. @throws what stops it from starting; everything that it opened is closed by then */
export type Bootstrap = (config: AppConfig, deps: ProcessDeps) => Promise<{ readonly url: string }>;

/** A process from its parsed configuration to its exit code; it says `ready URL` when it serves. */
export async function runProcess(config: AppConfig, tracing: Tracing | undefined, bootstrap: Bootstrap): Promise<void> {
  // Where they lead to is full, or closed: that is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const logger = createLogger(config.logging);
  const shutdown = new Shutdown(logger);
  if (tracing) shutdown.at('let_go', 'traces', STOP_TRACING_TIMEOUT_MS, () => tracing.stop());

  let starting: Promise<unknown> = Promise.resolve();
  let stopping = false;
  const stop = async (totalMs: number): Promise<ShutdownReport> => {
    stopping = true;
    const began = performance.now();
    // What is being opened must be open before it can be closed; but a start that hangs must not keep the process.
    const startMs = Math.max(totalMs - config.shutdown.crashTimeoutMs, totalMs / 2);
    const isSettled = starting.then(
      () => {},
      () => {},
    );
    await withDeadline(isSettled, startMs, () => {});
    return shutdown.run(totalMs - (performance.now() - began));
  };
  const { crash, release } = endProcessInOrder({
    process,
    log: logger,
    stop,
    flush: () => flushLogger(logger),
    timeoutMs: config.shutdown.timeoutMs,
    crashTimeoutMs: config.shutdown.crashTimeoutMs,
  });

  const start = bootstrap(config, { logger, shutdown, onLost: crash, tracing: tracing !== undefined });
  starting = start;
  try {
    const { url } = await start;
    process.stdout.write(`ready ${url}\n`);
  } catch (error) {
    if (stopping) return; // It is being ended in order already, perhaps because of this.
    release();
    logger.debug({ err: error }, 'start failed');
    process.stderr.write(`${explainFailure(error, config)}\n`);
    await flushLogger(logger);
    process.exit(1);
  }
}
