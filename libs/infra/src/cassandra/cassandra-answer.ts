import { DataRefused, DomainError, withDeadline } from '@parley/domain';
import { errors, types } from 'cassandra-driver';

/** A caller gets an answer within this time even from nodes that accept connections and then say nothing. */
export const CASSANDRA_ANSWER_MS_MAX = 1_900;
const RETRY_AFTER_MS = 1_000;

const { responseErrorCodes: codes } = types;
/** The nodes cannot do it now; later, or with another node back, they could. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([
  codes.serverError,
  codes.unavailableException,
  codes.overloaded,
  codes.isBootstrapping,
  codes.truncateError,
  codes.writeTimeout,
  codes.readTimeout,
  codes.readFailure,
  codes.writeFailure,
]);

/** The driver's words, in a plain error, when a statement is to be prepared on a node whose last connection has just gone. */
const NO_CONNECTION = 'No connection available';

/** The driver marks errors of a connection so, beside those that it has a class for. */
function isConnectionError(error: unknown): boolean {
  return error instanceof Error && (error.message === NO_CONNECTION || 'isSocketError' in error);
}

/** True when a request failed because of the state of the nodes or of the way to them, not because of itself. */
export function isCassandraUnavailable(error: unknown): boolean {
  if (error instanceof errors.ResponseError) return UNAVAILABLE_CODES.has(error.code);
  return (
    error instanceof errors.NoHostAvailableError ||
    error instanceof errors.OperationTimedOutError ||
    error instanceof errors.BusyConnectionError ||
    isConnectionError(error)
  );
}

/**
 * True when the request can never be written: it is larger than the nodes take. Nothing else that they call invalid
 * counts, since a table that is missing is called so too, and no message is to be set aside for that.
 */
function isDataError(error: unknown): boolean {
  return (
    error instanceof errors.ResponseError &&
    error.code === codes.invalid &&
    /oversized mutation|request is too big/i.test(error.message)
  );
}

function unavailable(cause?: unknown): DomainError {
  const error = new DomainError('store_unavailable', 'The message store does not answer', {
    retryAfterMs: RETRY_AFTER_MS,
  });
  error.cause = cause;
  return error;
}

/**
 * What `read` answers.
 * @throws DomainError `store_unavailable` when too few nodes can be reached, or they are silent for `withinMs`
 */
export async function cassandraAnswer<T>(read: () => Promise<T>, withinMs = CASSANDRA_ANSWER_MS_MAX): Promise<T> {
  try {
    return await withDeadline(read(), withinMs, () => {
      throw unavailable();
    });
  } catch (error) {
    throw isCassandraUnavailable(error) ? unavailable(error) : error;
  }
}

/**
 * Runs a write; each of its requests has a time-out of its own.
 * @throws DataRefused when trying again would end the same way; DomainError `store_unavailable` when it would not: then
 * the write may have happened, all of it or a part
 */
export async function cassandraWrite(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (isDataError(error)) throw new DataRefused(error);
    throw isCassandraUnavailable(error) ? unavailable(error) : error;
  }
}
