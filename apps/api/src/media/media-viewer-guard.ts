import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import {
  addressKey,
  DomainError,
  DoorMetrics,
  type LinkClaims,
  MediaLinks,
  type MediaViewer,
  RateLimiter,
  TokenVerifier,
} from '@parley/domain';
import type { FastifyRequest } from 'fastify';
import { bearerToken } from '../auth/bearer-token.js';
import { HttpSettings } from '../http/http-settings.js';

export interface MediaRequest extends FastifyRequest {
  viewer?: MediaViewer;
}

/**
 * Lets a request for a medium in by its token or by the signature of its link, and counts it: a page of pictures loads
 * without tokens, and would otherwise use up what strangers from its address may ask.
 *
 * @throws DomainError `unauthenticated`, `token_expired` for a link that has run out, what a token is refused with,
 * `rate_limited`
 */
@Injectable()
export class MediaViewerGuard implements CanActivate {
  constructor(
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(MediaLinks) private readonly links: MediaLinks,
    @Inject(RateLimiter) private readonly limiter: RateLimiter,
    @Inject(DoorMetrics) private readonly metrics: DoorMetrics,
    @Inject(HttpSettings) private readonly settings: HttpSettings,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<MediaRequest>();
    const token = bearerToken(request.headers.authorization);
    if (token !== undefined) {
      // The limits of requests with a token were asked before the route was known.
      const { userId } = await this.tokens.verify(token);
      request.viewer = { kind: 'user', userId };
      return true;
    }
    const bearer = this.links.verify(claimsOf(request));
    const key = bearer.kind === 'user' ? `user:${bearer.userId}` : `address:${addressKey(request.ip)}`;
    const isOurs = bearer.kind === 'user' || bearer.kind === 'avatar';
    await this.count(`rest:${isOurs && bearer.kind === 'avatar' ? 'avatars:' : ''}${key}`, isOurs);
    if (bearer.kind === 'expired')
      throw new DomainError('token_expired', 'The link has run out; read the message again');
    if (bearer.kind === 'none')
      throw new DomainError('unauthenticated', 'Send an access token, or use the link as it is');
    request.viewer = bearer;
    return true;
  }

  private async count(key: string, isOurs: boolean): Promise<void> {
    const rate = isOurs ? this.settings.restPerUser : this.settings.restPerAddress;
    const { allowed, retryAfterMs } = await this.limiter.take(key, 1, rate);
    if (allowed) return;
    this.metrics.rateLimited(isOurs ? 'rest_per_user' : 'rest_per_address');
    throw new DomainError('rate_limited', 'Too many requests; wait before the next one', { retryAfterMs });
  }
}

function claimsOf({ params, query }: FastifyRequest): LinkClaims {
  const { mediaId } = params as { mediaId: string };
  const given = Object.entries(query as Record<string, unknown>).filter(([, value]) => typeof value === 'string');
  return { ...(Object.fromEntries(given) as Record<string, string>), mediaId: mediaId.toLowerCase() };
}
