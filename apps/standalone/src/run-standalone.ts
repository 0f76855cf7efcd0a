import { createLogger, endProcessInOrder, flushLogger, Shutdown, type AppConfig, type Tracing } from '@parley/infra';
import { bootstrapStandalone } from './bootstrap.js';
import { explainFailure } from './start-failure.js';

const STOP_TRACING_TIMEOUT_MS = 4_000;

/** The process of `npm start`: from its parsed configuration to its exit code. */
export async function runStandalone(config: AppConfig, tracing: Tracing | undefined): Promise<void> {
  const logger = createLogger(config.logging);
  const shutdown = new Shutdown(logger);
  if (tracing) shutdown.at('let_go', 'traces', STOP_TRACING_TIMEOUT_MS, () => tracing.stop());

  let starting: Promise<unknown> = Promise.resolve();
  const { crash, release } = endProcessInOrder({
    process,
    log: logger,
    // Stopped while it starts: what is being opened must be open before it can be closed.
    stop: async (totalMs) => {
      await starting.catch(() => {});
      return shutdown.run(totalMs);
    },
    flush: () => flushLogger(logger),
    timeoutMs: config.shutdown.timeoutMs,
    crashTimeoutMs: config.shutdown.crashTimeoutMs,
  });

  const start = bootstrapStandalone(config, { logger, shutdown, onLost: crash, tracing: tracing !== undefined });
  starting = start;
  try {
    const { url } = await start;
    process.stdout.write(`ready ${url}\n`);
  } catch (error) {
    release();
    logger.debug({ err: error }, 'start failed');
    process.stderr.write(`${explainFailure(error, config)}\n`);
    await flushLogger(logger);
    process.exit(1);
  }
}
