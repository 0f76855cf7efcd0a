import type { AppConfig } from '../config/configuration.js';
import type { Tracing } from './tracing-sdk.js';

/**
 * Loads and starts OpenTelemetry when a collector is configured, else nothing of it. Call it before anything that
 * imports `http` or `pg` is imported: only what is loaded afterwards can be traced. This file imports nothing itself.
 */
export async function startTracing(config: AppConfig['tracing']): Promise<Tracing | undefined> {
  if (config.endpoint === undefined) return undefined;
  const { startTracingSdk } = await import('./tracing-sdk.js');
  return startTracingSdk(config.endpoint, config);
}
