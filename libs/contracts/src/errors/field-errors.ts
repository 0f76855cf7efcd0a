import type { z } from 'zod';
import type { FieldError } from './error.contract.js';

type Issue = z.core.$ZodIssue;

const SIZE_CODES: Record<string, [low: string, high: string]> = {
  string: ['too_short', 'too_long'],
  array: ['too_few', 'too_many'],
};

function codeOf(issue: Issue): string {
  switch (issue.code) {
    case 'custom':
      return (issue.params?.['code'] as string | undefined) ?? 'invalid';
    case 'invalid_type':
      return issue.input === undefined && issue.message.includes('received undefined') ? 'required' : 'invalid_type';
    case 'too_big':
      return SIZE_CODES[issue.origin]?.[1] ?? 'too_large';
    case 'too_small':
      return SIZE_CODES[issue.origin]?.[0] ?? 'too_small';
    case 'invalid_value':
      return 'invalid_value';
    default:
      return issue.code;
  }
}

/** A validation issue in the wire's words. Unknown fields give one entry each, at the field's own path. */
function fieldErrorsOf(issue: Issue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key].join('.').slice(0, FIELD_PATH_CHARS_MAX),
      code: 'unknown_field',
      message: 'This field is not known here',
    }));
  }
  return [{ path: path.join('.').slice(0, FIELD_PATH_CHARS_MAX), code: codeOf(issue), message: issue.message }];
}

const FIELD_ERRORS_MAX = 20;
const FIELD_PATH_CHARS_MAX = 200;

/** Translates the schema's issues to `errors[]` of an answer; at most 20, so that no answer outgrows its request. */
export function toFieldErrors(error: { issues: readonly Issue[] }): FieldError[] {
  return error.issues.flatMap(fieldErrorsOf).slice(0, FIELD_ERRORS_MAX);
}

/** The deepest nesting of JSON that is taken; a deeper one is `too_deep`. */
export const JSON_DEPTH_MAX = 16;

/** True when `value` nests deeper than `max` levels. Iterative, so a hostile value cannot exhaust the stack. */
export function isDeeperThan(value: unknown, max: number = JSON_DEPTH_MAX): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      if (depth >= max) return true;
      for (const child of Object.values(item)) next.push(child);
    }
    level = next;
  }
  return false;
}
