import type { Readable } from 'node:stream';

/** What a service answered; of its body no more than is needed to tell why it refused. */
export interface ServiceAnswer {
  status: number;
  body: string;
  /** From `Retry-After`, seconds or a date. */
  retryAfterMs: number | undefined;
}

const ANSWER_BYTES_MAX = 64 * 1_024;
const RETRY_AFTER_MS_MAX = 24 * 3_600_000;
const REASON_CHARS_MAX = 200;

/** @throws Error when the body breaks off, or is longer than any answer of use */
export async function readAnswer(
  status: number,
  headers: Record<string, unknown>,
  body: Readable,
): Promise<ServiceAnswer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      body.destroy();
      throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  return { status, body: text, retryAfterMs: readRetryAfter(headers['retry-after']) };
}

export function readRetryAfter(header: unknown, now = Date.now()): number | undefined {
  if (typeof header !== 'string' || header === '') return undefined;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX) : undefined;
}

/** The answer's JSON, or an empty object. */
export function jsonOf({ body }: ServiceAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** For the log: no tokens, no text of messages. */
export function reasonOf(error: unknown): string {
  const text =
    error instanceof Error ? `${(error as NodeJS.ErrnoException).code ?? error.name}: ${error.message}` : String(error);
  return text.slice(0, REASON_CHARS_MAX);
}
