const REDACTED = '[redacted]';

/** Names whose values never belong in a log, however they are spelt: secrets, and what people write to each other. */
const PRIVATE_NAMES =
  /^(authorization|cookie|set-?cookie|.*token|.*secret|.*password.*|content|preview|body|payload|parameters|params|query|detail|where|signature)$/i;

const PRIVATE_TEXTS: readonly [RegExp, string][] = [
  // Any JWT, also inside a URL, a header or an error of some library.
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w+/.=~-]+/gi, `$1 ${REDACTED}`],
  [/\b([a-z][a-z0-9+]*:\/\/)[^\s/@]+@/gi, `$1${REDACTED}@`],
  [/([?&;](?:[\w-]*token|[\w-]*secret|password|signature|sig|key)=)[^\s&#;"']+/gi, `$1${REDACTED}`],
];

const DEPTH_MAX = 5;
const ITEMS_MAX = 50;
const CAUSES_MAX = 3;
const TEXT_CHARS_MAX = 8_192;

/** The text without tokens and passwords that have a recognisable form, and cut at a bound. */
export function redactText(text: string): string {
  const bounded = text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text;
  return PRIVATE_TEXTS.reduce((cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement), bounded);
}

/** A copy that may be logged: private fields and recognisable secrets replaced, errors reduced, depth and size bounded. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return value;
  if (depth >= DEPTH_MAX) return '[too deep]';
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => redact(item, depth + 1));
  const entries = Object.entries(value).slice(0, ITEMS_MAX);
  return Object.fromEntries(
    entries.map(([name, item]) => [name, PRIVATE_NAMES.test(name) ? REDACTED : redact(item, depth + 1)]),
  );
}

/**
 * What of an error may be logged. Errors of database drivers carry the statement's parameters (message texts, names)
 * in fields of their own: only the fields named here pass.
 */
function describeError(error: Error, causes = 0): Record<string, unknown> {
  const { code, constraint, table, routine, cause, errors } = error as Error & Record<string, unknown>;
  const described: Record<string, unknown> = {
    type: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
  };
  for (const [name, value] of Object.entries({ code, constraint, table, routine })) {
    if (typeof value === 'string' || typeof value === 'number') described[name] = value;
  }
  if (causes >= CAUSES_MAX) return described;
  if (cause instanceof Error) described.cause = describeError(cause, causes + 1);
  if (Array.isArray(errors)) {
    described.errors = errors
      .slice(0, CAUSES_MAX)
      .map((inner) => (inner instanceof Error ? describeError(inner, causes + 1) : redact(inner)));
  }
  return described;
}
