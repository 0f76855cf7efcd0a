import { Controller, Get, Inject, Query, Req } from '@nestjs/common';
import { type ConnectAnswer, ConnectAnswerSchema, ConnectQuerySchema } from '@parley/contracts';
import type { FastifyRequest } from 'fastify';
import { Operation } from '../documents/operation.js';
import { HttpSettings } from '../http/http-settings.js';

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
  // One process answers for every region: it is the only gateway there is.
  connect(@Req() request: FastifyRequest, @Query({ schema: ConnectQuerySchema }) _region: unknown): ConnectAnswer {
    const url = this.settings.publicUrl ?? `${request.protocol}://${request.host}`;
    return { url, path: SOCKET_PATH, fallbackUrls: [] };
  }
}
