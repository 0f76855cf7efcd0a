import { Controller, Get, Header, HttpStatus, Inject, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Health } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/public.js';
import { isLocalCaller } from './local-caller.js';

interface HealthAnswer {
  status: 'ok' | 'unavailable';
  missing?: readonly string[];
}

/** What load balancers and supervisors ask. */
@Public()
@ApiExcludeController()
@Controller('health')
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get('live')
  @Header('cache-control', 'no-store')
  async live(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthAnswer> {
    return this.answer(reply, await this.health.live());
  }

  /** What is missing is told to this machine only. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<HealthAnswer> {
    const { ready, missing } = await this.health.readiness();
    const answer = this.answer(reply, ready);
    return missing.length === 0 || !isLocalCaller(request) ? answer : { ...answer, missing };
  }

  private answer(reply: FastifyReply, good: boolean): HealthAnswer {
    reply.status(good ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: good ? 'ok' : 'unavailable' };
  }
}
