import type { Principal } from '@parley/domain';
import type { FastifyRequest } from 'fastify';

/** A request as `AuthGuard` leaves it; `principal` is missing on public routes. */
export interface AuthenticatedRequest extends FastifyRequest {
  principal?: Principal;
}
