import type { FastifyInstance } from 'fastify';

/**
 * Lets the requests that have begun end and takes no new connections. Counted by requests, not by connections: those
 * that became WebSockets are the gateway's to close, and idle ones may stay open for minutes.
 * @returns the step that drains; it ends when the last request is answered
 */
export function drainRequests(fastify: FastifyInstance): () => Promise<void> {
  let underWay = 0;
  let draining = false;
  let idle = (): void => {};

  fastify.addHook('onRequest', (_request, reply, done) => {
    underWay += 1;
    reply.raw.once('close', () => {
      underWay -= 1;
      if (draining && underWay === 0) idle();
    });
    // A client that keeps its connection would go on sending into a server that is about to end.
    if (draining) reply.header('connection', 'close');
    done();
  });

  return () =>
    new Promise((resolve) => {
      draining = true;
      idle = resolve;
      fastify.server.close();
      fastify.server.closeIdleConnections();
      if (underWay === 0) resolve();
    });
}
