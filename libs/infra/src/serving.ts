import type { AppConfig } from './config/configuration.js';
import type { Shutdown } from './lifecycle/shutdown.js';
import type { HealthChecks } from './telemetry/health-checks.js';
import type { Logger } from './telemetry/logging.js';
import type { Metrics } from './telemetry/metrics.js';
import { startOperationsServer } from './telemetry/operations-server.js';

/** Bounds a step of the shutdown that closes one thing. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Serves METRICS_PORT, if there is one, until the very end. Answers the port. */
export async function serveOperations(
  config: AppConfig,
  { shutdown, ...parts }: { metrics: Metrics; health: HealthChecks; shutdown: Shutdown },
): Promise<number | undefined> {
  if (config.metrics.port === undefined) return undefined;
  const server = await startOperationsServer({ host: config.http.host, port: config.metrics.port, ...parts });
  shutdown.at('let_go', 'metrics port', CLOSE_TIMEOUT_MS, () => server.close());
  return server.port;
}

/** Where clients reach a process that listens on this port; an address that the person who reads it can open. */
export function urlOf({ http }: AppConfig, port: number): string {
  if (http.publicUrl !== undefined) return http.publicUrl;
  // Nobody can connect to 0.0.0.0.
  const reachable = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** For failures that a process lives through: a line in its log, and a figure. `what` is always said in the same words. */
export function tellTrouble(logger: Logger, metrics: Metrics): (what: string, error: unknown) => void {
  return (what, error) => {
    metrics.trouble(what);
    logger.warn({ err: error }, what);
  };
}
