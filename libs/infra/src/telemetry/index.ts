export { HealthChecks, type HealthCheck } from './health-checks.js';
export { createLogger, NestLogger, type Logger } from './logging.js';
export { Metrics } from './metrics.js';
export { observeRequests, REQUEST_ID_OPTIONS } from './request-telemetry.js';
