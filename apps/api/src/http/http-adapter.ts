import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ERROR_CODES, PAYLOAD_BYTES_MAX } from '@parley/contracts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { faultOf, INTERNAL, PROBLEM_TYPE, toProblem } from './problem.js';
import { sendProblem } from './problem-filter.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** Headers and request line together: a cursor of 64 KB is to be refused by its name, not by a cut connection. */
const HEADER_BYTES_MAX = 131_072;
/** One emoji of 64 UTF-16 units, percent-encoded, is the longest parameter of a path. */
const PATH_PARAMETER_CHARS_MAX = 600;
/** From a request's first byte to its last; whoever takes longer is not sending but holding a connection. */
const REQUEST_TIMEOUT_MS = 120_000;

export interface HttpAdapterOptions {
  /** Whose `X-Forwarded-For` is believed: nobody's, that of so many proxies in front, or of these addresses. */
  trustProxy: false | number | readonly string[];
  /** Gives each request its id. */
  requestId: (request: Pick<IncomingMessage, 'headers'>) => string;
  /** Which requests become another protocol, where something listens for that; the header is ignored in all others. */
  shouldUpgrade?: (request: IncomingMessage) => boolean;
}

/** Fastify under the limits of the contract. */
export function createHttpAdapter({ trustProxy, requestId, shouldUpgrade }: HttpAdapterOptions): FastifyAdapter {
  const adapter = new FastifyAdapter({
    trustProxy: trusted(trustProxy),
    requestIdHeader: false,
    genReqId: requestId,
    bodyLimit: PAYLOAD_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PATH_PARAMETER_CHARS_MAX },
    http: {
      maxHeaderSize: HEADER_BYTES_MAX,
      requireHostHeader: false,
      ...(shouldUpgrade && { shouldUpgradeCallback: shouldUpgrade }),
    },
    frameworkErrors: (error: Error, _request: unknown, reply: unknown) =>
      // No hook has run for a path that the router cannot read.
      sendProblem((reply as FastifyReply).headers(SECURITY_HEADERS), faultOf(error) ?? INTERNAL),
    clientErrorHandler: answerUnreadableRequest,
  });
  refuseWithoutHost(adapter.getInstance());
  answerWhateverIsExpected(adapter.getInstance().server);
  return adapter;
}

/** What Node would answer with a bare status. */
function refuseWithoutHost(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ raw }, reply, done) => {
    if (raw.httpVersion !== '1.1' || raw.headers.host !== undefined) return done();
    const detail = 'A request of HTTP/1.1 names its Host';
    sendProblem(reply.headers(SECURITY_HEADERS), { code: 'validation_failed', detail });
  });
}

/** A server may pass over what it does not know in `Expect`; Node would answer a bare 417. */
function answerWhateverIsExpected(server: Server): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

function trusted(
  proxies: HttpAdapterOptions['trustProxy'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof proxies === 'number') return (_address, hop) => hop < proxies;
  return proxies === false ? false : [...proxies];
}

/** For bytes that Node's parser could not make a request of: there is no request to answer, only a connection. */
function answerUnreadableRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status } = ERROR_CODES.validation_failed;
  const body = JSON.stringify(toProblem({ code: 'validation_failed', detail: detailOf(error.code) }, ''));
  const head = `HTTP/1.1 ${status} Bad Request\r\ncontent-type: ${PROBLEM_TYPE}\r\nconnection: close\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function detailOf(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `Headers have at most ${HEADER_BYTES_MAX} bytes`;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'The request did not arrive in time';
  return 'This is not an HTTP request';
}
