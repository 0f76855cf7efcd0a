import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { faultOf, INTERNAL, problemHeaders, toProblem, type Fault } from './problem.js';

/** Answers with the problem document of a fault (RFC 9457). */
export function sendProblem(reply: FastifyReply, fault: Fault): void {
  const problem = toProblem(fault, reply.request.id);
  const headers = { ...problemHeaders(fault), 'x-request-id': problem.requestId };
  void reply.code(problem.status).headers(headers).send(JSON.stringify(problem));
}

/** Every refusal, and every bug, becomes a problem document. A bug tells the client nothing and the log everything. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const fault = faultOf(error);
    if (!fault) this.logBug(error, host.switchToHttp().getRequest<FastifyRequest>());
    if (reply.sent) return;
    sendProblem(reply, fault ?? INTERNAL);
  }

  private logBug(error: unknown, request: FastifyRequest): void {
    const where = `${request.method} ${request.routeOptions?.url ?? 'an unknown route'} (${request.id})`;
    this.logger.error(`${where}: ${String(error)}`, error instanceof Error ? error.stack : undefined);
  }
}
