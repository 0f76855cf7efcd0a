import type { FastifyInstance } from 'fastify';

/** For answers that are data: a browser that is led to open one may run and frame nothing. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Headers of every answer that no page replaces. */
export const SECURITY_HEADERS: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': DATA_POLICY,
};

/**
 * Headers of every answer, refusals and unknown routes too. What an account may see is kept by no cache. Pages replace
 * the policy by their own.
 */
export function addSecurityHeaders(fastify: FastifyInstance): void {
  const privateHeaders = { ...SECURITY_HEADERS, 'cache-control': 'no-store' };
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers(request.url.startsWith('/v1/') ? privateHeaders : SECURITY_HEADERS);
    done();
  });
}
