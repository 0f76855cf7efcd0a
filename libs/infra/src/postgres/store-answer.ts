import { DomainError, withDeadline } from '@parley/domain';

/** A caller gets an answer within this time even from a server that accepts connections and then says nothing. */
export const STORE_ANSWER_MS_MAX = 2_500;
const RETRY_AFTER_MS = 1_000;

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
// Class 08 connection, 53 resources, 57 operator (shutdown, time-out); serialization failure and deadlock; idle transaction.
const STATE_CODES = /^(08...|53...|57...|40001|40P01|25P03)$/;
// The driver gives these no code.
const DRIVER_MESSAGES =
  /connection terminated|timeout exceeded when trying to connect|not queryable|pool after calling end|connection timeout/i;

/** True when the statement failed because of the server's or the connection's state, not because of itself. */
export function isStoreUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (SOCKET_CODES.has(code) || STATE_CODES.test(code))) return true;
  return DRIVER_MESSAGES.test(error.message);
}

function unavailable(cause?: unknown): DomainError {
  const error = new DomainError('store_unavailable', 'The database does not answer', { retryAfterMs: RETRY_AFTER_MS });
  error.cause = cause;
  return error;
}

/**
 * What `work` answers.
 * @throws DomainError `store_unavailable` when the server is away, or silent for longer than `STORE_ANSWER_MS_MAX`: then
 * a write may have happened all the same.
 */
export async function storeAnswer<T>(work: () => Promise<T>, withinMs = STORE_ANSWER_MS_MAX): Promise<T> {
  try {
    return await withDeadline(work(), withinMs, () => {
      throw unavailable();
    });
  } catch (error) {
    throw isStoreUnavailable(error) ? unavailable(error) : error;
  }
}
