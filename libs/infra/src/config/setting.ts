import { z } from 'zod';

/** One environment variable: what it means, what it is when it is not set, and how its text is read. */
export interface Setting<Value> {
  readonly name: string;
  readonly description: string;
  /** The default as the table shows it; empty where there is none. */
  readonly shownDefault: string;
  /** What takes the place of the default in the cluster profile, as text; undefined where that is the same. */
  readonly clusterDefault: string | undefined;
  /** Its text appears in no error, log or table. */
  readonly secret: boolean;
  readonly schema: z.ZodType<Value, string | undefined>;
}

interface Described {
  readonly description: string;
  readonly secret?: boolean;
  readonly clusterDefault?: string;
}

function setting<Value>(
  name: string,
  { description, secret = false, clusterDefault }: Described,
  shownDefault: string,
  schema: z.ZodType<Value, string | undefined>,
): Setting<Value> {
  return { name, description, secret, shownDefault, clusterDefault, schema: schema.describe(description) };
}

const WHOLE_NUMBER = /^-?\d{1,15}$/;

/** A number as people write it: digits, no exponent, no hexadecimal, no surrounding words. */
function readNumber(expected: string, min: number, max: number, pattern: RegExp) {
  return z.string(expected).transform((text, context) => {
    const value = Number(text);
    if (pattern.test(text) && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

export function integer(
  name: string,
  options: Described & { default: number; min?: number; max?: number },
): Setting<number> {
  const { default: fallback, min = 1, max = 1_000_000_000 } = options;
  const schema = readNumber(`must be a whole number from ${min} to ${max}`, min, max, WHOLE_NUMBER);
  return setting(
    name,
    options,
    String(fallback),
    schema.optional().transform((value) => value ?? fallback),
  );
}

export function optionalInteger(
  name: string,
  options: Described & { min?: number; max?: number },
): Setting<number | undefined> {
  const { min = 1, max = 1_000_000_000 } = options;
  return setting(
    name,
    options,
    '',
    readNumber(`must be a whole number from ${min} to ${max}`, min, max, WHOLE_NUMBER).optional(),
  );
}

export function fraction(name: string, options: Described & { default: number }): Setting<number> {
  const schema = readNumber('must be a number from 0 to 1', 0, 1, /^[01](\.\d{1,9})?$/);
  return setting(
    name,
    options,
    String(options.default),
    schema.optional().transform((value) => value ?? options.default),
  );
}

/** `limit` in each window of `windowMs` milliseconds. */
export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
}

export function rateLimit(name: string, options: Described & RateLimit): Setting<RateLimit> {
  const { limit, windowMs } = options;
  const schema = readNumber('must be a whole number from 1 to 1000000', 1, 1_000_000, WHOLE_NUMBER);
  return setting(
    name,
    options,
    String(limit),
    schema.optional().transform((value) => ({ limit: value ?? limit, windowMs })),
  );
}

export function choice<const Options extends readonly [string, ...string[]]>(
  name: string,
  options: Described & { options: Options; default: Options[number]; clusterDefault?: Options[number] },
): Setting<Options[number]> {
  const schema = z.enum(options.options, `must be one of ${options.options.join(', ')}`);
  return setting(
    name,
    options,
    options.default,
    schema.optional().transform((value) => value ?? options.default),
  );
}

export function text(
  name: string,
  options: Described & { default: string; pattern?: RegExp; expected?: string },
): Setting<string> {
  const { default: fallback, pattern = /^[^\0]+$/, expected = 'must be text' } = options;
  const schema = z.string().regex(pattern, expected);
  return setting(
    name,
    options,
    fallback,
    schema.optional().transform((value) => value ?? fallback),
  );
}

export function optionalText(name: string, options: Described): Setting<string | undefined> {
  return setting(name, options, '', z.string().optional());
}

export function secretText(
  name: string,
  options: { description: string; charsMin: number },
): Setting<string | undefined> {
  const schema = z.string().min(options.charsMin, `must have at least ${options.charsMin} characters`);
  return setting(name, { ...options, secret: true }, '', schema.optional());
}

/** True for a server at the root of its host: sockets and pages of ours are found nowhere else. */
export function hasNoPath(url: string): boolean {
  const { pathname, search, hash, username } = new URL(url);
  return pathname === '/' && `${search}${hash}${username}` === '';
}

export function optionalUrl(
  name: string,
  options: Described & {
    protocols: readonly [string, ...string[]];
    /** The address of a server of ours. */
    atRoot?: boolean;
  },
): Setting<string | undefined> {
  const starts = options.protocols.map((protocol) => `${protocol}//`);
  const expected = `must be a URL that begins with ${starts.join(' or ')}`;
  // In a password above all: it ends what is read as the host, or begins something else.
  const hint = options.secret ? '; a character such as # / ? @ : % in its password is written as %23, %2F …' : '';
  const schema = z
    .string()
    .refine((value) => URL.canParse(value) && options.protocols.includes(new URL(value).protocol), {
      error: `${expected}${hint}`,
      abort: true,
    })
    .refine((value) => !options.atRoot || hasNoPath(value), `${expected} and has no path: Parley cannot be below one`);
  return setting(name, options, '', schema.optional());
}

/** A comma-separated list; spaces around its parts do not count. */
export function list(
  name: string,
  options: Described & { isPart: (part: string) => boolean; expected: string },
): Setting<readonly string[]> {
  const schema = z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .refine((parts) => parts.every((part) => options.isPart(part)), options.expected);
  return setting(
    name,
    options,
    '',
    schema.optional().transform((parts) => parts ?? []),
  );
}

/** Anything else: `read` gives the value, or a sentence part beginning with "must" for the error. */
export function custom<Value>(
  name: string,
  options: Described & {
    shownDefault: string;
    default: Value;
    read: (text: string) => { value: Value } | { must: string };
  },
): Setting<Value> {
  const schema = z.string().transform((value, context) => {
    const outcome = options.read(value);
    if ('value' in outcome) return outcome.value;
    context.addIssue({ code: 'custom', message: outcome.must });
    return z.NEVER;
  });
  return setting(
    name,
    options,
    options.shownDefault,
    schema.optional().transform((value) => value ?? options.default) as z.ZodType<Value, string | undefined>,
  );
}
