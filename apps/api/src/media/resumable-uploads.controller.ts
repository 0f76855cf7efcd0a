import { Controller, Delete, Head, Inject, Options, Patch, Post, Req, Res } from '@nestjs/common';
import type { Principal } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CurrentUser } from '../auth/current-user.js';
import { Public } from '../auth/public.js';
import { Operation } from '../documents/operation.js';
import { ResumableUploads } from './resumable-uploads.js';

/** The second door of uploads: an upload that was broken off goes on where it stopped. */
@Controller('v1/media/tus')
export class ResumableUploadsController {
  constructor(@Inject(ResumableUploads) private readonly uploads: ResumableUploads) {}

  @Options(['', ':uploadId'])
  @Public()
  protocol(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.hand(request, reply, null);
  }

  @Post()
  @Operation({
    tag: 'Media',
    summary: 'Begin a resumable upload (tus 1.0.0)',
    description:
      'By the tus protocol, with the extensions that `OPTIONS` names; clients of it exist for every platform. `filename` and `filetype` in `Upload-Metadata` are what a form would say. The `PATCH` that brings the last byte is answered 200 with the Media; what is not finished within a day is deleted.',
    answers: [{ status: 201, description: 'Begun; `Location` is where the bytes go', schema: null }],
    refusals: ['payload_too_large', 'media_quota_exceeded', 'conflict'],
  })
  begin(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  @Head(':uploadId')
  howFar(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  @Patch(':uploadId')
  goOn(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  @Delete(':uploadId')
  giveUp(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  /** The protocol's own server writes the answer; the headers that every answer has are put there before. */
  private async hand(request: FastifyRequest, reply: FastifyReply, userId: string | null): Promise<void> {
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    await this.uploads.handle(request.raw, reply.raw, userId);
  }
}
