import type { FastifyInstance } from 'fastify';

/** Of resumable uploads. */
const TUS_REQUEST_HEADERS = 'tus-resumable, upload-length, upload-offset, upload-metadata, upload-defer-length';
const TUS_ANSWER_HEADERS = 'location, tus-resumable, upload-length, upload-offset, upload-expires';

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': `authorization, content-type, x-request-id, ${TUS_REQUEST_HEADERS}`,
  'access-control-max-age': '600',
};

/**
 * Lets pages of the given origins call from a browser and read the answers. Tokens travel in a header that a page must
 * set itself, so no cookie is ever allowed along; without a listed origin a browser keeps every answer from a page.
 */
export function allowOrigins(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const all = origins.includes('*');
  const known = new Set(origins);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (!all) reply.header('vary', 'Origin');
    if (origin === undefined || !(all || known.has(origin))) return done();
    reply.header('access-control-allow-origin', all ? '*' : origin);
    reply.header('access-control-expose-headers', `x-request-id, retry-after, ${TUS_ANSWER_HEADERS}`);
    if (request.method !== 'OPTIONS' || !request.headers['access-control-request-method']) return done();
    void reply.code(204).headers(PREFLIGHT_HEADERS).send();
  });
}
