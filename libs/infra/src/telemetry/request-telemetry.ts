import type { IncomingMessage } from 'node:http';
import { trace } from '@opentelemetry/api';
import type { DoorMetrics } from '@parley/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from './logging.js';
import { requestContext, requestIdFrom } from './request-context.js';

const REQUEST_ID_HEADER = 'x-request-id';

/** Options of Fastify that go with `observeRequests`: one id for each request, ours or a sane one of the caller. */
export const REQUEST_ID_OPTIONS = {
  requestIdHeader: false,
  genReqId: (request: Pick<IncomingMessage, 'headers'>) => requestIdFrom(request.headers[REQUEST_ID_HEADER]),
} as const;

/**
 * Gives every request its id (in logs, in the answer's `x-request-id`, as `request.id`), measures it, and logs how it
 * ended: method, route template, status, duration; nothing of its path, query, headers or body. What went well or was the
 * caller's fault is logged at `debug`: at thousands a second it would be the server's main work.
 */
export function observeRequests(fastify: FastifyInstance, metrics: DoorMetrics, logger: Logger): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id);
    nameSpan(request);
    requestContext.run({ requestId: request.id }, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = routeOf(request);
    const { elapsedTime: durationMs, statusCode: status } = reply;
    metrics.httpRequest(route, request.method, status, durationMs);
    const level = status >= 500 && status !== 503 ? 'error' : 'debug';
    if (logger.isLevelEnabled(level)) {
      logger[level](
        { requestId: request.id, method: request.method, route, status, durationMs: Math.round(durationMs * 10) / 10 },
        'request answered',
      );
    }
    done();
  });
  fastify.addHook('onRequestAbort', (request, done) => {
    logger.debug({ requestId: request.id, method: request.method }, 'request given up by its caller');
    done();
  });
}

/** Its template: no id and no other part of what was asked. */
function routeOf(request: FastifyRequest): string {
  return request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
}

/** Where traces are made: what listens to HTTP knows methods and no routes, and would call all of them alike. */
function nameSpan(request: FastifyRequest): void {
  const span = trace.getActiveSpan();
  if (!span) return;
  const route = routeOf(request);
  span.updateName(`${request.method} ${route}`).setAttribute('http.route', route);
}
