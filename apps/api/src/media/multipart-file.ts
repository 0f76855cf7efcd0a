import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import { DomainError, invalidField, type UploadClaims } from '@parley/domain';

const FIELD = 'file';
/** One file is all that is taken; another part is refused when it comes, and no more than this are looked at. */
const PARTS_MAX = 4;
const HEADER_PAIRS_MAX = 20;
const NAME_BYTES_MAX = 1_000;

/**
 * Reads the multipart body of an upload and hands its one file on as it comes; never more of it than a few chunks is in
 * memory. What `take` leaves unread is read and dropped, so that the client hears the answer.
 *
 * @throws DomainError `unsupported_media_type` for another body, `validation_failed` for one without a file, with two, or
 * with other fields; what `take` throws
 */
export async function readMultipartFile<T>(
  request: IncomingMessage,
  take: (file: Readable, claims: UploadClaims) => Promise<T>,
): Promise<T> {
  const parser = parserOf(request);
  let taken: Promise<T> | undefined;
  let taking: Readable | undefined;
  const refused = Promise.withResolvers<never>();
  // Whoever is told of it may be told before anybody waits for it.
  refused.promise.catch(() => {});
  const ended = new Promise<void>((resolve) => parser.once('finish', () => resolve()));
  const refuse = (path: string, code: string, message: string): void =>
    refused.reject(invalidField(path, code, message));
  const incomplete = (): void => refuse('', 'incomplete', 'The body ends before its end');

  parser.on('file', (field: string, file: Readable, fileName: string | undefined, _encoding: string, type: string) => {
    // A part that breaks off says so itself, also after the parser has; unheard it would end the process.
    file.on('error', (error) => (error instanceof DomainError ? refused.reject(error) : incomplete()));
    if (field !== FIELD || taken) {
      file.resume();
      refuse(field, 'unknown_field', `Send one file, as the field "${FIELD}"`);
      return;
    }
    taking = file;
    taken = take(file, { fileName: fileName ?? '', declaredType: type });
    // A file that nobody reads any more would hold up the rest of the body.
    taken.catch((error: unknown) => refused.reject(error));
  });
  parser.on('field', (field: string) => refuse(field, 'unknown_field', `Send one file, as the field "${FIELD}"`));
  parser.on('partsLimit', () => refuse('', 'too_many_parts', 'Send one file'));
  parser.on('error', () => refuse('', 'invalid_multipart', 'The body is not multipart/form-data'));
  request.once('error', incomplete);
  request.once('aborted', incomplete);
  request.pipe(parser);

  try {
    await Promise.race([ended, refused.promise]);
    if (!taken) throw invalidField(FIELD, 'required', `Send a file, as the field "${FIELD}"`);
    return await Promise.race([taken, refused.promise]);
  } catch (error) {
    // The rest is read and dropped, so that the client hears the answer. A file that was stored beside a field that is
    // not known is collected: nobody hears its id.
    request.unpipe(parser);
    request.resume();
    taking?.destroy(new Error('The upload was refused'));
    parser.destroy();
    await taken?.catch(() => {});
    throw error;
  }
}

function parserOf(request: IncomingMessage): BusboyInstance {
  const { 'content-type': type = '' } = request.headers;
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw new DomainError('unsupported_media_type', 'Send multipart/form-data');
  }
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: { parts: PARTS_MAX, headerPairs: HEADER_PAIRS_MAX, fieldNameSize: NAME_BYTES_MAX, fieldSize: 1_000 },
    });
  } catch {
    throw invalidField('', 'invalid_multipart', 'The body has no boundary');
  }
}
