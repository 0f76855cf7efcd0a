import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeBlocksOf, ROOT, type Document } from './documents.js';

/** The lines of one hunk: what must stand in the file, and what stands there afterwards. */
interface Hunk {
  readonly before: string;
  readonly after: string;
}

const CHANGE = /^(ts|diff) (\S+\.ts)$/;

/** Hunks are parted by lines of their own that hold only `@@`. */
function hunksOf(diff: string): Hunk[] {
  return diff.split(/^@@\n/m).map((part) => {
    const lines = part.split('\n').slice(0, -1);
    const side = (without: string): string =>
      lines
        .filter((line) => !line.startsWith(without))
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    return { before: side('+'), after: side('-') };
  });
}

function apply(path: string, text: string, { before, after }: Hunk): string {
  const parts = `\n${text}`.split(`\n${before}`);
  if (parts.length !== 2) {
    throw new Error(`${path}: the lines of a change stand there ${parts.length - 1} times instead of once:\n${before}`);
  }
  return parts.join(`\n${after}`).slice(1);
}

/**
 * The files that a page's code blocks make or change, by path, as they are afterwards: a block marked `ts <path>` is a
 * whole new file, one marked `diff <path>` changes an existing one.
 * @throws Error when a change does not fit the file as it is now, or a new file exists already
 */
export function appliedWalkThrough(page: Document): Map<string, string> {
  const files = new Map<string, string>();
  for (const { info, text } of codeBlocksOf(page)) {
    const [, kind, path] = CHANGE.exec(info) ?? [];
    if (path === undefined) continue;
    if (kind === 'ts') {
      if (files.has(path) || existsSync(join(ROOT, path))) throw new Error(`${path} is there already`);
      files.set(path, text);
      continue;
    }
    const now = files.get(path) ?? readFileSync(join(ROOT, path), 'utf8');
    files.set(
      path,
      hunksOf(text).reduce((result, hunk) => apply(path, result, hunk), now),
    );
  }
  return files;
}
