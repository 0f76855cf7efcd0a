import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { PAYLOAD_BYTES_MAX } from '@parley/contracts';
import { DomainError, invalidField } from '@parley/domain';
import type { FastifyInstance } from 'fastify';
import { scanJson } from './json-scan.js';

/**
 * A body that is refused for its size is still read to its end, up to this: a client that is cut off while it sends sees
 * a broken connection and never the answer.
 */
const DRAINED_BYTES_MAX = 16_000_000;

type UnreadRequest = Pick<IncomingMessage, 'headers'> & { url: string };

type BodyStream = AsyncIterable<Buffer> & Pick<IncomingMessage, 'destroy'>;

/**
 * The value of a JSON text as a client sent it, or undefined for none.
 *
 * @throws DomainError `validation_failed` with `invalid_unicode`, `invalid_json` and what scanJson refuses
 */
export function parseJson(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  // Decoding would replace what is not UTF-8 by U+FFFD, and a text would no longer be stored as it was sent.
  if (!isUtf8(bytes)) throw invalidField('', 'invalid_unicode', 'The body is not UTF-8');
  const text = bytes.toString('utf8');
  scanJson(text);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalidField('', 'invalid_json', 'The body is not JSON');
  }
}

/** @throws DomainError `payload_too_large` above PAYLOAD_BYTES_MAX, `validation_failed` with `incomplete` */
async function readBody(stream: BodyStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes <= PAYLOAD_BYTES_MAX) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > DRAINED_BYTES_MAX) break;
    }
  } catch {
    // The caller has gone: nobody hears this, and it is no fault of the server that would be logged as one.
    throw invalidField('', 'incomplete', 'The body ends before its end');
  }
  if (bytes > PAYLOAD_BYTES_MAX) {
    throw new DomainError('payload_too_large', `A body has at most ${PAYLOAD_BYTES_MAX} bytes`);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

/** Whose route reads its body itself, as it comes. */
const UPLOAD_PATHS = /^\/v1\/media\/(upload|tus(\/.*)?)$/;
const readsItself = ({ url }: UnreadRequest): boolean => UPLOAD_PATHS.test(url.split('?', 1)[0] ?? '');

/** A compressed body is not taken: a few bytes could become more than any limit. */
function requireAsItIs({ headers }: UnreadRequest, body: Buffer): Buffer {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (body.length > 0 && encoding.trim().toLowerCase() !== 'identity') {
    throw new DomainError('unsupported_media_type', 'Send the body as it is, without content-encoding');
  }
  return body;
}

/** JSON is the only body that is taken, but for uploads, under the rules of this server instead of Fastify's. */
export function acceptOnlyJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', async (request: UnreadRequest, payload: BodyStream) =>
    readsItself(request) ? undefined : parseJson(requireAsItIs(request, await readBody(payload))),
  );
  fastify.addContentTypeParser('*', async (request: UnreadRequest, payload: BodyStream) => {
    if (readsItself(request)) return undefined;
    const body = await readBody(payload);
    // A client that names some type for no body at all has asked for nothing that could be refused.
    if (body.length === 0) return undefined;
    const type = request.headers['content-type'];
    throw new DomainError(
      'unsupported_media_type',
      type ? 'Send application/json' : 'Say content-type: application/json',
    );
  });
}
