import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '@parley/domain';
import type { AuthenticatedRequest } from './authenticated-request.js';

/** Parameter of a handler: the `Principal` that the guard found. Not for public routes. */
export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('CurrentUser was asked for on a route without AuthGuard');
  return principal;
});
