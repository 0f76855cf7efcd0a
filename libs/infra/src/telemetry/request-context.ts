import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

export interface RequestContext {
  readonly requestId: string;
}

/** Carries the id of the request that is being answered to whatever logs on its behalf. */
export const requestContext = new AsyncLocalStorage<RequestContext>();

/** What other systems use as ids: UUIDs, hashes, names. Nothing that could break a log line, a header or a page. */
const SANE_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** The caller's `x-request-id` if it is a sane one, else a new one. */
export function requestIdFrom(given: string | readonly string[] | undefined): string {
  return typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
}
