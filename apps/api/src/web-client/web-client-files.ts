import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};
/** Compressed forms that the build leaves beside a file, the smaller one first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

export interface WebClientFile {
  readonly type: string;
  readonly etag: string;
  /** True where the name changes with the bytes, so that a browser may keep them for good. */
  readonly isHashed: boolean;
  readonly bytes: Buffer;
  /** By the name of the encoding, the smallest first. */
  readonly compressed: ReadonlyMap<string, Buffer>;
}

/**
 * The built web client, read once and kept in memory (some hundred kilobytes). A request finds a file by its whole path
 * or not at all: no path of a request is ever looked up on the disk.
 */
export class WebClientFiles {
  private constructor(private readonly files: ReadonlyMap<string, WebClientFile>) {}

  /** Where `npm run build` puts the web client, seen from a bundle; there is nothing when the sources run themselves. */
  static built(): WebClientFiles {
    return WebClientFiles.in(join(import.meta.dirname, '..', '..', 'web'));
  }

  /** All files below a folder; none if it is not there. */
  static in(folder: string): WebClientFiles {
    const files = new Map<string, WebClientFile>();
    const names = existsSync(join(folder, 'index.html'))
      ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      : [];
    for (const name of names) {
      const type = TYPES[extname(name)];
      if (type !== undefined) files.set(`/${name.replaceAll('\\', '/')}`, readOne(join(folder, name), name, type));
    }
    return new WebClientFiles(files);
  }

  /** The page that every address of the web client shows; undefined where no web client was built. */
  get page(): WebClientFile | undefined {
    return this.files.get('/index.html');
  }

  /** @param path of the request, `/assets/…` for instance */
  find(path: string): WebClientFile | undefined {
    return this.files.get(path);
  }
}

function readOne(path: string, name: string, type: string): WebClientFile {
  const bytes = readFileSync(path);
  const compressed = new Map<string, Buffer>();
  for (const [encoding, ending] of ENCODINGS) {
    if (existsSync(path + ending)) compressed.set(encoding, readFileSync(path + ending));
  }
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, etag, isHashed: /^assets[/\\]/.test(name), bytes, compressed };
}
