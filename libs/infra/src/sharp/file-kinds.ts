import { DomainError, type UploadClaims } from '@parley/domain';

type Kind = 'picture' | 'film';

const EXTENSIONS: readonly [Kind, RegExp][] = [
  ['picture', /\.(png|apng|jpe?g|jfif|gif|webp|avif|heic|heif|bmp|tiff?|ico|svgz?)$/i],
  ['film', /\.(mp4|m4v|webm|mov|avi|mkv|mp3|m4a|ogg|oga|ogv|opus|wav|flac|aac)$/i],
];
const CLAIMED: readonly [Kind, RegExp][] = [
  ['picture', /^image\//i],
  ['film', /^(video|audio)\//i],
];
/** Browsers take TypeScript for a stream of films. */
const PROGRAM_TEXT = /\.[cm]?tsx?$/i;
/** Texts that a browser would run, by any of the names under which they are found. */
const RUN_BY_BROWSERS = /(xml|html|svg|javascript|ecmascript)/i;

/** Programs for a browser that are no text. */
const PROGRAM_BYTES = /(wasm|shockwave)/i;

export const TEXT_TYPE = 'text/plain';
export const UNKNOWN_TYPE = 'application/octet-stream';

/** The type under which the file is kept: never one that a browser runs. */
export function keptType(found: string | undefined, isText: boolean): string {
  if (found === undefined) return isText ? TEXT_TYPE : UNKNOWN_TYPE;
  if (PROGRAM_BYTES.test(found)) return UNKNOWN_TYPE;
  if (RUN_BY_BROWSERS.test(found) && !found.includes('officedocument')) return TEXT_TYPE;
  return found === 'image/apng' ? 'image/png' : found;
}

/**
 * A picture of another type than it is called is taken for what it is; a web page that is called a picture is refused:
 * nobody who is honest needs it.
 * @throws DomainError `unsupported_media_type`
 */
export function refuseFalseClaims({ fileName, declaredType }: UploadClaims, found: string): void {
  const kind = kindOf(CLAIMED, found);
  for (const claimed of [kindOf(CLAIMED, declaredType), kindOf(EXTENSIONS, fileName)]) {
    if (claimed === null || claimed === kind) continue;
    if (claimed === 'film' && PROGRAM_TEXT.test(fileName)) continue;
    const what = claimed === 'picture' ? 'picture' : 'film or recording';
    throw new DomainError('unsupported_media_type', `This is called a ${what}, and its bytes are none`);
  }
}

function kindOf(kinds: readonly [Kind, RegExp][], text: string): Kind | null {
  return kinds.find(([, pattern]) => pattern.test(text.trim()))?.[0] ?? null;
}
