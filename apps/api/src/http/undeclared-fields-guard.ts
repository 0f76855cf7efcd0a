import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { DomainError } from '@parley/domain';
import type { FastifyRequest } from 'fastify';
import { routeInputsOf, type RouteInputs } from './route-inputs.js';

const FIELD_ERRORS_MAX = 20;
const FIELD_PATH_CHARS_MAX = 200;

/**
 * Refuses query parameters and body fields sent to a route that takes none. Routes that take some refuse the unknown
 * ones by their schema; without this, a misspelled `?limt=5` would be refused on one route and ignored on the next.
 */
@Injectable()
export class UndeclaredFieldsGuard implements CanActivate {
  private readonly inputs = new WeakMap<object, RouteInputs>();

  canActivate(context: ExecutionContext): boolean {
    // Global guards run before socket events and the command log's batches too, which have no request.
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    // A page is for people, whose links carry whatever a mail program or a campaign added.
    if (!request.url.startsWith('/v1/')) return true;
    const handler = context.getHandler();
    let inputs = this.inputs.get(handler);
    if (!inputs) this.inputs.set(handler, (inputs = routeInputsOf(context.getClass(), handler.name)));
    if (!inputs.query) refuseFields(request.query);
    if (!inputs.body) refuseFields(request.body);
    return true;
  }
}

function refuseFields(value: unknown): void {
  if (value === undefined || value === null) return;
  const names = typeof value === 'object' ? Object.keys(value) : [''];
  if (names.length === 0) return;
  const errors = names.slice(0, FIELD_ERRORS_MAX).map((name) => ({
    path: name.slice(0, FIELD_PATH_CHARS_MAX),
    code: 'unknown_field',
    message: 'This field is not known here',
  }));
  throw new DomainError('validation_failed', undefined, { errors });
}
