import { ERROR_CODES, type ErrorCode, type FieldError } from '@parley/contracts';

export interface DomainErrorDetails {
  /** When to try again at the earliest. */
  retryAfterMs?: number;
  errors?: FieldError[];
}

/** An expected refusal with a stable code. Doors translate it; everything else that is thrown is a bug (`internal`). */
export class DomainError extends Error {
  readonly retryAfterMs: number | undefined;
  readonly errors: FieldError[] | undefined;

  constructor(
    readonly code: ErrorCode,
    readonly detail: string = ERROR_CODES[code].title,
    details: DomainErrorDetails = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'DomainError';
    this.retryAfterMs = details.retryAfterMs;
    this.errors = details.errors;
  }
}

/** One field is wrong: 400 `validation_failed` with that field in `errors`. */
export function invalidField(path: string, code: string, message: string): DomainError {
  return new DomainError('validation_failed', message, { errors: [{ path, code, message }] });
}
