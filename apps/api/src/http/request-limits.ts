import {
  addressKey,
  DomainError,
  type DoorMetrics,
  type Principal,
  type RateDecision,
  type RateLimiter,
  type RateLimitName,
  type TokenVerifier,
} from '@parley/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bearerToken } from '../auth/bearer-token.js';
import type { HttpSettings } from './http-settings.js';

export interface RequestLimitParts {
  limiter: RateLimiter;
  verifier: TokenVerifier;
  metrics: DoorMetrics;
  settings: HttpSettings;
}

/** Signing up, in, on and out is counted by address even beside a token, so that one cannot be used to guess others. */
const SIGN_IN_PATHS = '/v1/auth/';

/**
 * Counts each request of the API before its body is read: by user where the token holds, by address otherwise.
 * @throws DomainError `rate_limited` with the time to wait, as the request's answer
 */
export function limitRequests(fastify: FastifyInstance, parts: RequestLimitParts): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!request.url.startsWith('/v1/') || isCountedByItsLink(request)) return done();
    const decision = decide(request, parts);
    // A promise only where the limiter or a token that was never seen needs one: the usual request stays in this turn.
    if (decision instanceof Promise) decision.then(() => done(), done);
    else done(decision ?? undefined);
  });
}

/** A picture is fetched by its link, without a token: its guard counts it once it knows for whom the link speaks. */
function isCountedByItsLink({ method, url, headers }: FastifyRequest): boolean {
  const isFetch = method === 'GET' || method === 'HEAD';
  return isFetch && url.startsWith('/v1/media/') && bearerToken(headers.authorization) === undefined;
}

/** Gives the refusal, or null, or throws it in a promise. */
function decide(request: FastifyRequest, parts: RequestLimitParts): DomainError | null | Promise<void> {
  const token = request.url.startsWith(SIGN_IN_PATHS) ? undefined : bearerToken(request.headers.authorization);
  const principal = token === undefined ? null : parts.verifier.verifyCached(token);
  if (token !== undefined && !principal) return decideUnknown(token, request, parts);
  const decision = take(principal, request, parts);
  if (decision instanceof Promise) return decision.then((late) => throwRefusal(refusalOf(late, principal, parts)));
  return refusalOf(decision, principal, parts);
}

/** A token that is met the first time counts for its user; one that does not hold counts like none. */
async function decideUnknown(token: string, request: FastifyRequest, parts: RequestLimitParts): Promise<void> {
  const principal = await parts.verifier.verify(token).catch(() => null);
  throwRefusal(refusalOf(await take(principal, request, parts), principal, parts));
}

function take(principal: Principal | null, request: FastifyRequest, { limiter, settings }: RequestLimitParts) {
  if (principal) return limiter.take(`rest:user:${principal.userId}`, 1, settings.restPerUser);
  return limiter.take(`rest:address:${addressKey(request.ip)}`, 1, settings.restPerAddress);
}

function refusalOf(
  decision: RateDecision,
  principal: Principal | null,
  { metrics }: RequestLimitParts,
): DomainError | null {
  if (decision.allowed) return null;
  const limit: RateLimitName = principal ? 'rest_per_user' : 'rest_per_address';
  metrics.rateLimited(limit);
  const { retryAfterMs } = decision;
  return new DomainError('rate_limited', 'Too many requests; wait before the next one', { retryAfterMs });
}

function throwRefusal(refusal: DomainError | null): void {
  if (refusal) throw refusal;
}
