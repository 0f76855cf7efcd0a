import { JSON_DEPTH_MAX } from '@parley/contracts';
import { invalidField } from '@parley/domain';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;

/** Names that reach an object's prototype when some later code copies or merges the value. */
const PROTOTYPE_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

interface Level {
  /** The names met so far; null for an array. */
  keys: Set<string> | null;
  /** The name or index of the value that is being read. */
  at: string | number;
  expectsKey: boolean;
}

/**
 * Refuses what JSON.parse would take in silence: nesting beyond the limit, an object that says the same name twice
 * (whoever reads it next may take the other value), and names that reach a prototype. One pass without recursion, so its
 * cost is that of the text's length whatever is in it. Says nothing about syntax: that is JSON.parse's part.
 *
 * @throws DomainError `validation_failed` with `too_deep`, `duplicate_key` or `unknown_field`
 */
export function scanJson(text: string): void {
  const levels: Level[] = [];
  let level: Level | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (level?.expectsKey) takeKey(levels, level, keyOf(text, at, end));
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY: {
        if (levels.length >= JSON_DEPTH_MAX) {
          throw invalidField(pathOf(levels), 'too_deep', `At most ${JSON_DEPTH_MAX} levels of nesting`);
        }
        const isObject = text.charCodeAt(at) === OPEN_OBJECT;
        level = { keys: isObject ? new Set() : null, at: isObject ? '' : 0, expectsKey: isObject };
        levels.push(level);
        break;
      }
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        levels.pop();
        level = levels.at(-1);
        break;
      case COMMA:
        if (level) startNext(level);
        break;
    }
  }
}

function startNext(level: Level): void {
  if (level.keys) level.expectsKey = true;
  else level.at = Number(level.at) + 1;
}

function takeKey(levels: Level[], level: Level, key: string): void {
  level.expectsKey = false;
  level.at = key;
  if (PROTOTYPE_KEYS.has(key)) throw invalidField(pathOf(levels), 'unknown_field', 'This field is not known here');
  if (level.keys?.has(key)) throw invalidField(pathOf(levels), 'duplicate_key', 'This field is there twice');
  level.keys?.add(key);
}

/** The index of the closing quote; the last index of the text where there is none. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((quote - first) % 2 === 0) return quote;
  }
  return text.length - 1;
}

/** The name as JSON reads it: `"\u0061"` and `"a"` are the same one. */
function keyOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(text.slice(start, end + 1)) as string;
  } catch {
    return raw;
  }
}

const PATH_CHARS_MAX = 200;

function pathOf(levels: readonly Level[]): string {
  return levels
    .map((level) => String(level.at).slice(0, PATH_CHARS_MAX))
    .join('.')
    .slice(0, PATH_CHARS_MAX);
}
