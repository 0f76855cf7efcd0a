import type { DomainError } from '@parley/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json-body.js';
import { scanJson } from './json-scan.js';

function refusalOf(text: string | Buffer): { code: string; path: string } | null {
  try {
    parseJson(Buffer.from(text as string));
    return null;
  } catch (error) {
    const { code, path } = (error as DomainError).errors?.[0] ?? {};
    return { code: String(code), path: String(path) };
  }
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels);
}

describe('nesting', () => {
  it('is taken to 16 levels and refused at 17', () => {
    expect(refusalOf(nested(16))).toBeNull();
    expect(refusalOf(nested(17))).toMatchObject({ code: 'too_deep' });
    expect(refusalOf('{"a":'.repeat(17) + '1' + '}'.repeat(17))).toMatchObject({ code: 'too_deep' });
  });

  it('of 200,000 levels is refused at the 17th, closed or not', () => {
    expect(refusalOf(nested(200_000))).toMatchObject({ code: 'too_deep' });
    expect(refusalOf('[{"a":'.repeat(200_000))).toMatchObject({ code: 'too_deep' });
  });

  it('does not count brackets inside of texts', () => {
    expect(refusalOf(JSON.stringify({ content: '[{"'.repeat(1_000) }))).toBeNull();
  });
});

describe('the same field twice', () => {
  it.each([
    ['{"content":"a","content":"b"}', 'content'],
    ['{"content":"a","c\\u006fntent":"b"}', 'content'],
    ['[{"a":1},{"b":{"c":1,"d":2,"c":3}}]', '1.b.c'],
    ['{"":1,"":2}', ''],
  ])('is refused: %s', (text, path) => {
    expect(refusalOf(text)).toEqual({ code: 'duplicate_key', path });
  });

  it('is taken where the objects differ, and where a value looks like a name', () => {
    expect(refusalOf('{"a":{"a":["a","a",{"a":"a"}]},"b":{"a":1}}')).toBeNull();
  });
});

describe('a name that reaches a prototype', () => {
  it.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])('is refused: %s', (name) => {
    expect(refusalOf(`{"x":{"${name}":{"isAdmin":true}}}`)).toMatchObject({ code: 'unknown_field' });
  });

  it('is an ordinary text where it is a value', () => {
    expect(refusalOf('{"content":"__proto__"}')).toBeNull();
  });
});

describe('what is not JSON', () => {
  it.each([
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '"abc',
    '[1,',
    '{"a":"b\\',
    'nul',
    '{a:1}',
    "{'a':1}",
    '[1,]',
    '1 2',
    '﻿{}',
  ])('is refused: %j', (text) => {
    expect(refusalOf(text)).toMatchObject({ code: 'invalid_json' });
  });

  it('is refused where it is not UTF-8, instead of being repaired', () => {
    const broken = Buffer.concat([Buffer.from('{"content":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
    expect(() => parseJson(broken)).toThrow(/UTF-8/);
  });
});

it('takes whatever JSON.stringify makes of plain values within the depth', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(!/"(?:__proto__|constructor|prototype)":/.test(text));
      expect(() => scanJson(text)).not.toThrow();
      expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text));
    }),
  );
});

it.each([
  ['quotes behind backslashes', `{"a":"${'\\\\\\"'.repeat(250_000)}"}`],
  ['many fields', `{${Array.from({ length: 100_000 }, (_, index) => `"k${index}":1`).join(',')}}`],
  ['backslashes', `"${'\\\\'.repeat(700_000)}"`],
])('reads 1.4 MB of %s in well under a second', (_, text) => {
  const began = performance.now();
  scanJson(text);
  expect(performance.now() - began).toBeLessThan(1_000);
});
