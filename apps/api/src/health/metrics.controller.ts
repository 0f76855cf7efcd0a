import { Controller, Get, Header, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { DomainError } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/public.js';
import { isLocalCaller } from './local-caller.js';
import { MetricsPage } from './metrics-page.js';

@Public()
@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(MetricsPage) private readonly page: MetricsPage) {}

  /** To everybody else this page does not exist. */
  @Get()
  @Header('cache-control', 'no-store')
  async metrics(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!this.page.shown || !isLocalCaller(request)) throw new DomainError('not_found');
    const text = await this.page.text();
    reply.header('content-type', this.page.contentType);
    return text;
  }
}
