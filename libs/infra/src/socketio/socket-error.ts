import { ERROR_CODES, type SocketError } from '@parley/contracts';
import type { DomainError } from '@parley/domain';

/** The error object of acknowledgements and of `connect_error.data`. */
export function toSocketError(error: DomainError): SocketError {
  const { status, retryable } = ERROR_CODES[error.code];
  const object: SocketError = { code: error.code, status, detail: error.detail, retryable };
  if (error.retryAfterMs !== undefined) object.retryAfterMs = Math.ceil(error.retryAfterMs);
  if (error.errors !== undefined) object.errors = error.errors;
  return object;
}
