import type { ErrorCode, FieldError, SocketError } from './wire.js';

/** What only a client can notice: no connection, no answer in time, a client that was closed, a full outbox … */
export type LocalErrorCode =
  'network' | 'timeout' | 'closed' | 'cancelled' | 'outbox_full' | 'outbox_expired' | 'store_failed';

/** The one error that calls of this package reject with. */
export class ParleyError extends Error {
  override readonly name = 'ParleyError';
  readonly code: ErrorCode | LocalErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** HTTP status; 0 when the server was not reached. */
  readonly status: number;
  /** Milliseconds to wait before the next attempt, if the server said so. */
  readonly retryAfterMs: number | null;
  readonly errors: readonly FieldError[];

  constructor(
    code: ErrorCode | LocalErrorCode,
    detail: string,
    more: { retryable?: boolean; status?: number; retryAfterMs?: number | undefined; errors?: FieldError[] } = {},
  ) {
    super(detail);
    this.code = code;
    this.retryable = more.retryable ?? (code === 'network' || code === 'timeout');
    this.status = more.status ?? 0;
    this.retryAfterMs = more.retryAfterMs ?? null;
    this.errors = more.errors ?? [];
  }
}

/** For a conversation that the user does not belong to, or not any more. */
export function gone(): ParleyError {
  return new ParleyError('not_found', 'This conversation is gone', { status: 404 });
}

/** An answer's error object as an error; whatever else was thrown counts as the network's fault. */
export function toParleyError(cause: unknown): ParleyError {
  if (cause instanceof ParleyError) return cause;
  if (isSocketError(cause)) {
    const { code, detail, status, retryable, retryAfterMs, errors } = cause;
    return new ParleyError(code, detail, { status, retryable, retryAfterMs, ...(errors && { errors }) });
  }
  return new ParleyError('network', cause instanceof Error ? cause.message : 'The server was not reached');
}

function isSocketError(cause: unknown): cause is SocketError {
  return typeof cause === 'object' && cause !== null && 'code' in cause && 'status' in cause && 'retryable' in cause;
}
