import { Reflector } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DoorMetrics, RateLimiter, TokenVerifier } from '@parley/domain';
import { AuthGuard } from '../auth/auth-guard.js';
import { allowOrigins } from './cross-origin.js';
import { HttpSettings } from './http-settings.js';
import { acceptOnlyJson } from './json-body.js';
import { ProblemFilter } from './problem-filter.js';
import { limitRequests } from './request-limits.js';
import { SchemaValidationPipe } from './schema-validation-pipe.js';
import { addSecurityHeaders } from './security-headers.js';
import { UndeclaredFieldsGuard } from './undeclared-fields-guard.js';
import { serveSwaggerUi } from '../documents/swagger-ui.js';

/**
 * Makes an application answer as the contract says: headers, origins, limits, tokens, bodies, validation, refusals,
 * API pages.
 * Call it after NestFactory.create (with `bodyParser: false` and `createHttpAdapter`) and before `init` or `listen`.
 */
export function configureHttp(app: NestFastifyApplication): void {
  const settings = app.get(HttpSettings, { strict: false });
  const fastify = app.getHttpAdapter().getInstance();
  const verifier = app.get(TokenVerifier, { strict: false });
  addSecurityHeaders(fastify);
  allowOrigins(fastify, settings.allowedOrigins);
  limitRequests(fastify, {
    limiter: app.get(RateLimiter, { strict: false }),
    verifier,
    metrics: app.get(DoorMetrics, { strict: false }),
    settings,
  });
  acceptOnlyJson(fastify);
  app.useGlobalFilters(new ProblemFilter());
  // Not as APP_GUARD: that would run them for each event of a socket and each batch of the command log as well.
  app.useGlobalGuards(new AuthGuard(verifier, app.get(Reflector)), new UndeclaredFieldsGuard());
  app.useGlobalPipes(new SchemaValidationPipe());
  serveSwaggerUi(app);
}
