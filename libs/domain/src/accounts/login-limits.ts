import type { RateLimit } from '../ports/rate-limiter.port.js';

/** How many logins may fail. Type and DI token in one. */
export abstract class LoginLimits {
  abstract readonly perAccountAndAddress: RateLimit;
  abstract readonly perAddress: RateLimit;
}

export const LOGIN_LIMITS_DEFAULT: LoginLimits = {
  perAccountAndAddress: { limit: 5, windowMs: 60_000 },
  perAddress: { limit: 20, windowMs: 60_000 },
};
