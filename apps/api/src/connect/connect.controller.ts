import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { type ConnectAnswer, ConnectAnswerSchema, ConnectQuerySchema } from '@parley/contracts';
import type { Principal } from '@parley/domain';
import type { FastifyRequest } from 'fastify';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { HttpSettings } from '../http/http-settings.js';
import { gatewaysFor } from './gateway-choice.js';

const SOCKET_PATH = '/socket.io';

@Controller('v1/connect')
export class ConnectController {
  constructor(@Inject(HttpSettings) private readonly settings: HttpSettings) {}

  @Get()
  @Operation({
    tag: 'Sync',
    summary: 'Which socket server to use',
    answers: [
      { status: 200, description: 'Where to connect, and where else if that fails', schema: ConnectAnswerSchema },
    ],
  })
  // Every region gets the same answer: gateways are in one.
  connect(
    @Req() request: FastifyRequest,
    @CurrentUser() { userId }: Principal,
    @Query({ schema: ConnectQuerySchema }) _region: unknown,
  ): ConnectAnswer {
    const { gatewayUrls, publicUrl } = this.settings;
    const here = publicUrl ?? `${request.protocol}://${request.host}`;
    const [url = here, ...fallbackUrls] = gatewaysFor(userId, gatewayUrls);
    return { url, path: SOCKET_PATH, fallbackUrls };
  }
}
