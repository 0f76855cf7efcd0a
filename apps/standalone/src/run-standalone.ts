import { type AppConfig, runProcess, type Tracing } from '@parley/infra';
import { bootstrapStandalone } from './bootstrap.js';

/** The process of `npm start`. */
export function runStandalone(config: AppConfig, tracing: Tracing | undefined): Promise<void> {
  return runProcess(config, tracing, bootstrapStandalone);
}
