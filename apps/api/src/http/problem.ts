import { HttpException, PreconditionFailedException } from '@nestjs/common';
import { ERROR_CODES, type ErrorCode, type FieldError, type Problem } from '@parley/contracts';
import { DomainError } from '@parley/domain';

/** What a refused request is told, before it becomes a document. */
export interface Fault {
  code: ErrorCode;
  /** Where a protocol asks for another one than the code's. */
  status?: number | undefined;
  detail: string;
  errors?: FieldError[] | undefined;
  retryAfterMs?: number | undefined;
}

const CODE_OF_STATUS: Record<number, ErrorCode> = {
  400: 'validation_failed',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
  408: 'validation_failed',
  409: 'conflict',
  413: 'payload_too_large',
  414: 'validation_failed',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  431: 'validation_failed',
  503: 'overloaded',
};

/** Where the answer does not say how long: a store or a queue is back within seconds, or not soon. */
const RETRY_AFTER_MS: Partial<Record<ErrorCode, number>> = {
  rate_limited: 1_000,
  overloaded: 1_000,
  store_unavailable: 2_000,
};

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own errors carry a status, and a code that says whose they are; other libraries' statuses are not ours.
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('FST_') && 'statusCode' in error) {
    return Number(error.statusCode);
  }
  return undefined;
}

/** A refusal in the wire's words; null for a bug, of which nothing may be told. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof DomainError) {
    const { code, detail, errors, retryAfterMs } = error;
    return { code, detail, errors, retryAfterMs: retryAfterMs ?? RETRY_AFTER_MS[code] };
  }
  if (error instanceof PreconditionFailedException) {
    return { code: 'validation_failed', status: error.getStatus(), detail: error.message };
  }
  const code = CODE_OF_STATUS[statusOf(error) ?? 0];
  return code ? { code, detail: ERROR_CODES[code].title, retryAfterMs: RETRY_AFTER_MS[code] } : null;
}

export const INTERNAL: Fault = { code: 'internal', detail: ERROR_CODES.internal.title };

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function toProblem({ code, status, detail, errors }: Fault, requestId: string): Problem {
  const { status: usual, title, retryable } = ERROR_CODES[code];
  const type = `https://parley.dev/errors/${code}`;
  return { type, title, status: status ?? usual, detail, code, retryable, requestId, ...(errors && { errors }) };
}

/** Headers that say what to do next: whole seconds, rounded up, since a client that comes early is refused again. */
export function problemHeaders({ code, retryAfterMs }: Fault): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': PROBLEM_TYPE };
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  if (ERROR_CODES[code].status === 401) headers['www-authenticate'] = 'Bearer';
  return headers;
}
