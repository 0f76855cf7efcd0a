import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import { DomainError } from '../../errors/domain-error.js';
import { GATEWAY_ANNOUNCE_EVERY_MS } from '../../ports/gateway-registry.port.js';
import { gatewaysFor } from '../gateway-choice.js';
import { GatewayDirectory } from '../gateway-directory.js';
import { FALLBACK_GATEWAYS_MAX, FindGateways, type FoundGateways } from './find-gateways.query.js';

@QueryHandler(FindGateways)
export class FindGatewaysHandler implements IQueryHandler<FindGateways> {
  constructor(@Inject(GatewayDirectory) private readonly directory: GatewayDirectory) {}

  async execute({ userId, region }: FindGateways): Promise<FoundGateways> {
    const [url, ...others] = gatewaysFor(userId, region, await this.directory.gateways());
    if (url === undefined) {
      throw new DomainError('overloaded', 'No gateway is known', { retryAfterMs: GATEWAY_ANNOUNCE_EVERY_MS });
    }
    return { url, fallbackUrls: others.slice(0, FALLBACK_GATEWAYS_MAX) };
  }
}
