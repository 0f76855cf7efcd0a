import { Readable } from 'node:stream';
import type { MediaFile, MediaStorage } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { rangeOf } from './byte-range.js';

/** A page that is led to open a file gets a document that runs nothing, has no origin and loads nothing. */
const FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'; sandbox";
/** A viewer's own browser may keep it; who asks again after a while is looked at again. */
const CACHE = 'private, max-age=600';

/** Writes the bytes with the headers that make them harmless; 206 for a range, 304 for what is known, 302 to a store. */
export async function sendMedia(
  file: MediaFile,
  storage: MediaStorage,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { medium, variant, mimeType, sizeBytes, etag, disposition, link } = file;
  reply.headers({
    'content-security-policy': FILE_POLICY,
    'cross-origin-resource-policy': 'cross-origin',
    'cache-control': CACHE,
    etag,
    vary: 'authorization',
  });
  if (isKnown(request.headers['if-none-match'], etag)) return void (await reply.code(304).send());
  if (link !== null) {
    // The link is good for less time than the answer could be kept.
    return void (await reply.header('cache-control', 'no-store').redirect(link, 302));
  }
  reply.headers({ 'accept-ranges': 'bytes', 'content-type': mimeType, 'content-disposition': disposition });
  // A range of another file would be glued to what the client has of its own; HEAD has none (RFC 9110).
  const mayBePart = request.method === 'GET' && isSame(request.headers['if-range'], etag);
  const range = mayBePart ? rangeOf(request.headers.range, sizeBytes) : null;
  if (range === 'unsatisfiable') {
    await reply.code(416).header('content-range', `bytes */${sizeBytes}`).removeHeader('content-type').send();
    return;
  }
  const bytes = range === null ? sizeBytes : range.to - range.from + 1;
  reply.header('content-length', bytes);
  if (range !== null) {
    reply.code(206).header('content-range', `bytes ${range.from}-${range.to}/${sizeBytes}`);
  }
  // Nothing at all would be answered as a length of 0.
  if (request.method === 'HEAD') return void (await reply.send(Readable.from([])));
  const stream = await storage.read(medium.mediaId, variant, range ?? undefined);
  await reply.send(stream);
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((known) => known.trim().replace(/^W\//, '') === etag || known.trim() === '*');
}

/** A date is none that this file was given with, and a weak tag does not say that every byte is the same (RFC 9110). */
const isSame = (ifRange: string | string[] | undefined, etag: string): boolean =>
  ifRange === undefined || ifRange === etag;
