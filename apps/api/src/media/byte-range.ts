import type { ByteRange } from '@parley/domain';

/** Nobody who plays a film asks for more; whoever does gets the whole file, as the standard allows. */
const RANGE_HEADER_CHARS_MAX = 100;

/**
 * The one range that a request asks for (RFC 9110). Null gives the whole file: without the header, for several ranges,
 * and for one that cannot be read. `unsatisfiable` where the file has nothing there.
 */
export function rangeOf(header: string | undefined, sizeBytes: number): ByteRange | 'unsatisfiable' | null {
  if (header === undefined || header.length > RANGE_HEADER_CHARS_MAX) return null;
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const bytes = Math.min(Number(last), sizeBytes);
    return bytes === 0 ? 'unsatisfiable' : { from: sizeBytes - bytes, to: sizeBytes - 1 };
  }
  const from = Number(first);
  const to = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < from) return null;
  return from >= sizeBytes ? 'unsatisfiable' : { from, to };
}
