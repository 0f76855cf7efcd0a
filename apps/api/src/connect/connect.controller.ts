import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type ConnectAnswer, ConnectAnswerSchema, type ConnectQuery, ConnectQuerySchema } from '@parley/contracts';
import { FindGateways, type FoundGateways, type Principal, rendezvous } from '@parley/domain';
import type { FastifyRequest } from 'fastify';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { HttpSettings } from '../http/http-settings.js';

const SOCKET_PATH = '/socket.io';

@Controller('v1/connect')
export class ConnectController {
  constructor(
    @Inject(HttpSettings) private readonly settings: HttpSettings,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get()
  @Operation({
    tag: 'Sync',
    summary: 'Which socket server to use',
    answers: [
      { status: 200, description: 'Where to connect, and where else if that fails', schema: ConnectAnswerSchema },
    ],
  })
  async connect(
    @Req() request: FastifyRequest,
    @CurrentUser() { userId }: Principal,
    @Query({ schema: ConnectQuerySchema }) { region }: ConnectQuery,
  ): Promise<ConnectAnswer> {
    const { url, fallbackUrls } = this.fixed(userId, request) ?? (await this.registered(userId, region));
    return { url, path: SOCKET_PATH, fallbackUrls };
  }

  /** Where the configuration says it, or sockets are served by this very process. */
  private fixed(userId: string, { protocol, host }: FastifyRequest): FoundGateways | null {
    const { gatewayUrls, publicUrl, areSocketsElsewhere } = this.settings;
    const [url, ...fallbackUrls] = rendezvous(userId, gatewayUrls);
    if (url !== undefined) return { url, fallbackUrls };
    return areSocketsElsewhere ? null : { url: publicUrl ?? `${protocol}://${host}`, fallbackUrls: [] };
  }

  private registered(userId: string, region = this.settings.region): Promise<FoundGateways> {
    return this.queries.execute(new FindGateways(userId, region));
  }
}
