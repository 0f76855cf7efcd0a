/** A name that file systems take: 255 bytes are the most that the usual ones do. */
const FILE_NAME_BYTES_MAX = 200;
const EXTENSION = /\.[A-Za-z0-9]{1,12}$/;
/** Control characters, what turns the direction of a text (`photo\u202Egnp.exe` reads photoexe.png), and what shows as nothing. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Not names on Windows, whatever comes after the dot. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * A file's name as others may see and save it: the last part of a path, without what is invisible or has a meaning to
 * a shell, a header or a file system. Never empty.
 */
export function safeFileName(given: string): string {
  const last = given.toWellFormed().normalize('NFC').split(/[/\\]/).at(-1) ?? '';
  const name = last
    .replace(INVISIBLE, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  if (name === '') return 'file';
  return shortened(RESERVED.test(name) ? `_${name}` : name);
}

function shortened(name: string): string {
  if (Buffer.byteLength(name) <= FILE_NAME_BYTES_MAX) return name;
  const extension = EXTENSION.exec(name)?.[0] ?? '';
  let stem = '';
  let bytes = extension.length;
  for (const point of name.slice(0, name.length - extension.length)) {
    bytes += Buffer.byteLength(point);
    if (bytes > FILE_NAME_BYTES_MAX) break;
    stem += point;
  }
  return stem + extension;
}

/**
 * Value of Content-Disposition (RFC 6266): an ASCII name for old clients, the name itself in UTF-8. Nothing in it can end
 * the header or its quotes.
 */
export function contentDisposition(kind: 'inline' | 'attachment', fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `${kind}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
