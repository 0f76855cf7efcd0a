import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  codeBlocksOf,
  codeWordsOf,
  document,
  documents,
  headingsOf,
  linksOf,
  ROOT,
  targetOf,
  type Document,
} from './documents.js';

const isTest = (path: string): boolean => /\.(spec|port\.contract)\.ts$/.test(path);
const FILE = /^\.?[\w@-][\w.@-]*(\/[\w.@-]+)+\.(ts|mjs|cjs|js|json|md|ya?ml|sql)$/;
const CLASS = /^[A-Z][a-z]+([A-Z][a-z]+)+$/;

/** Links that lead nowhere, and links named like a test that the file they lead to does not hold. */
function brokenLinks(page: Document): string[] {
  return linksOf(page).flatMap((link) => {
    const target = targetOf(page, link);
    if (!target) return [];
    const place = `${page.path}: [${link.text}](${link.target})`;
    if (!existsSync(join(ROOT, target.path))) return [`${place} leads nowhere`];
    if (target.heading !== undefined && !headingsOf(document(target.path)).includes(target.heading)) {
      return [`${place} names a heading that is not there`];
    }
    if (!isTest(target.path) || target.path.endsWith(link.text.replaceAll('`', ''))) return [];
    const holds = readFileSync(join(ROOT, target.path), 'utf8').includes(link.text);
    return holds ? [] : [`${place}: there is no such test in it`];
  });
}

/** Files in backticks that do not exist, here or after the page's own walk-through. */
function missingFiles(page: Document, made: readonly string[]): string[] {
  return codeWordsOf(page)
    .filter((word) => FILE.test(word) && !word.startsWith('dist/'))
    .filter((path) => !existsSync(join(ROOT, path)) && !made.includes(path))
    .map((path) => `${page.path}: ${path}`);
}

/** Class-like names in backticks that no source knows. */
function unknownNames(page: Document, sources: string): string[] {
  return codeWordsOf(page)
    .filter((word) => CLASS.test(word) && !new RegExp(`\\b${word}\\b`).test(sources))
    .map((word) => `${page.path}: ${word}`);
}

const pages = documents();
// What these pages make does not exist here; that it fits together is shown by extending.e2e.spec.ts.
const walkThrough = ['docs/extending.md', 'docs/extending-handlers.md'].flatMap((path) => codeBlocksOf(document(path)));
const made = walkThrough.map(({ info }) => info.replace(/^ts /, ''));
const sources = [
  ...globSync(['{apps,libs}/**/*.ts', 'deploy/**/*.yaml'], { cwd: ROOT, exclude: ['**/node_modules/**'] }).map((path) =>
    readFileSync(join(ROOT, path), 'utf8'),
  ),
  ...walkThrough.map(({ text }) => text),
].join('\n');

describe.each(pages.map((page) => [page.path, page] as const))('%s', (_path, page) => {
  it('links to what is there, and a link that is named like a test to a file that holds it', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  it('names files and classes that exist', () => {
    expect(missingFiles(page, made)).toEqual([]);
    expect(unknownNames(page, sources)).toEqual([]);
  });
});

describe('these checks', () => {
  const bad = (text: string): Document => ({ path: 'docs/flows/bad.md', text });

  it('find a link to nothing, to a lost heading, and to a test that was renamed', () => {
    expect(brokenLinks(bad('[a](../nothing.md)'))).toHaveLength(1);
    expect(brokenLinks(bad('[a](../../README.md#no-such-heading)'))).toHaveLength(1);
    const renamed = ['the old name', 'of a test'].join(' ');
    expect(brokenLinks(bad(`[${renamed}](../../test/docs/links.spec.ts)`))).toHaveLength(1);
    const real = 'look at every page that there is';
    expect(brokenLinks(bad(`[${real}](../../test/docs/links.spec.ts)`))).toEqual([]);
  });

  it('find a file and a class that are gone, and pass over what is neither', () => {
    const text = '`libs/domain/src/gone.ts` and `GoneOwner`, but `npm start`, `after-commit` and `README.md`';
    expect(missingFiles(bad(text), [])).toEqual(['docs/flows/bad.md: libs/domain/src/gone.ts']);
    expect(unknownNames(bad(text), 'class PartitionOwner {}')).toEqual(['docs/flows/bad.md: GoneOwner']);
  });

  it('look at every page that there is', () => {
    const paths = pages.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['README.md', 'docs/architecture.md', 'docs/flows/send-message.md']));
  });
});
