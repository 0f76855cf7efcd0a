import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

export interface Document {
  /** From the top of the repository. */
  readonly path: string;
  readonly text: string;
}

export interface CodeBlock {
  /** What stands behind the opening fence: `js`, `diff libs/a.ts`. */
  readonly info: string;
  readonly text: string;
}

export interface Link {
  readonly text: string;
  readonly target: string;
}

/** What people read of this repository: the pages at its top and below docs/. */
export function documents(): Document[] {
  return globSync(['*.md', 'docs/**/*.md', 'packages/*.md'], { cwd: ROOT })
    .toSorted()
    .map((path) => document(path));
}

export function document(path: string): Document {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

const FENCE = /^```([^\n]*)\n([\s\S]*?)^```$/gm;

export function codeBlocksOf({ text }: Document): CodeBlock[] {
  return [...text.matchAll(FENCE)].map(([, info = '', body = '']) => ({ info: info.trim(), text: body }));
}

const proseOf = ({ text }: Document): string => text.replaceAll(FENCE, '');

export function linksOf(page: Document): Link[] {
  const links = proseOf(page).matchAll(/\[((?:[^\]`]|`[^`]*`)+)\]\(([^)\s]+)\)/g);
  return [...links].map(([, text = '', target = '']) => ({ text, target }));
}

/** Whatever stands between single backticks outside of code blocks. */
export function codeWordsOf(page: Document): string[] {
  return [...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
}

/** The path, from the top of the repository, that a relative link leads to; undefined for an address elsewhere. */
export function targetOf(
  { path }: Document,
  { target }: Link,
): { path: string; heading: string | undefined } | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [file = '', heading] = target.split('#');
  return { path: file === '' ? path : posix.normalize(posix.join(dirname(path), file)), heading };
}

/** The names by which a page's headings can be linked to. */
export function headingsOf(page: Document): string[] {
  return [...proseOf(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
