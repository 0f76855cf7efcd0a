import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError, TokenVerifier } from '@parley/domain';
import type { AuthenticatedRequest } from './authenticated-request.js';
import { bearerToken } from './bearer-token.js';
import { IS_PUBLIC } from './public.js';

/**
 * Every route needs an access token unless it is `@Public()`. A token that was seen before is answered without waiting.
 *
 * @throws DomainError `unauthenticated`, `token_expired`, `session_revoked`, `store_unavailable`
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly publicHandlers = new WeakMap<object, boolean>();

  constructor(
    @Inject(TokenVerifier) private readonly tokens: TokenVerifier,
    @Inject(Reflector) private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    // Sockets authenticate at their handshake, and the command log's batches come from this very system.
    if (context.getType() !== 'http' || this.isPublic(context)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = bearerOf(request.headers.authorization);
    const principal = this.tokens.verifyCached(token);
    if (!principal) return this.verify(request, token);
    request.principal = principal;
    return true;
  }

  private async verify(request: AuthenticatedRequest, token: string): Promise<boolean> {
    request.principal = await this.tokens.verify(token);
    return true;
  }

  private isPublic(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let isPublic = this.publicHandlers.get(handler);
    if (isPublic === undefined) {
      isPublic = this.reflector.getAllAndOverride<boolean>(IS_PUBLIC, [handler, context.getClass()]) ?? false;
      this.publicHandlers.set(handler, isPublic);
    }
    return isPublic;
  }
}

function bearerOf(authorization: string | undefined): string {
  const token = bearerToken(authorization);
  if (token === undefined) throw new DomainError('unauthenticated', 'Send an access token: Authorization: Bearer …');
  return token;
}
