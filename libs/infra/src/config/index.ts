export type { AppConfig, RateLimitsConfig } from './configuration.js';
export { withJwtSecret, type ConfigWithSecret } from './kept-secret.js';
export { APP_CONFIG, loadConfiguration, type Environment } from './load-configuration.js';
export { isLoopbackHost } from './loopback.js';
export type { RateLimit } from './setting.js';
