import {
  Controller,
  Delete,
  Head,
  Inject,
  Options,
  Param,
  Patch,
  Post,
  PreconditionFailedException,
  Req,
  Res,
} from '@nestjs/common';
import { MediaSchema } from '@parley/contracts';
import type { Principal } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentUser } from '../auth/current-user.js';
import { Public } from '../auth/public.js';
import { Operation } from '../documents/operation.js';
import { ResumableUploads } from './resumable-uploads.js';

const UPLOAD_ID_CHARS_MAX = 100;
const TUS_VERSION = '1.0.0';
const UploadParamsSchema = z.strictObject({ uploadId: z.string().max(UPLOAD_ID_CHARS_MAX) });

/** The second door of uploads: an upload that was broken off goes on where it stopped. */
@Controller('v1/media/tus')
export class ResumableUploadsController {
  constructor(@Inject(ResumableUploads) private readonly uploads: ResumableUploads) {}

  @Options()
  @Public()
  @Operation({
    tag: 'Media',
    id: 'getTusExtensions',
    summary: 'What of the tus protocol is spoken here',
    answers: [
      { status: 204, description: 'In the headers `Tus-Version`, `Tus-Extension` and `Tus-Max-Size`', schema: null },
    ],
  })
  protocol(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.hand(request, reply, null);
  }

  @Post()
  @Operation({
    tag: 'Media',
    id: 'beginUpload',
    summary: 'Begin a resumable upload (tus 1.0.0)',
    description:
      'By the tus protocol, with the extensions that `OPTIONS` names; clients of it exist for every platform. `filename` and `filetype` in `Upload-Metadata` are what a form would say. The request that brings the last byte is answered with the Media: a `PATCH` with 200, and a `POST` that brings the whole file along with 201. Without `Tus-Resumable: 1.0.0`, the answer is 412. What is not finished within a day is deleted.',
    answers: [{ status: 201, description: 'Begun; `Location` is where the bytes go', schema: null }],
    refusals: ['payload_too_large', 'media_quota_exceeded', 'conflict', 'unsupported_media_type', 'media_too_large'],
  })
  begin(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  @Head(':uploadId')
  howFar(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest, @Res() reply: FastifyReply) {
    return this.hand(request, reply, userId);
  }

  @Patch(':uploadId')
  @Operation({
    tag: 'Media',
    id: 'continueUpload',
    summary: 'Send the next bytes of a resumable upload',
    answers: [
      { status: 200, description: 'These were the last ones: the file is kept', schema: MediaSchema },
      { status: 204, description: '`Upload-Offset` is how many are here', schema: null },
    ],
    refusals: [
      'not_found',
      'conflict',
      'payload_too_large',
      'media_quota_exceeded',
      'unsupported_media_type',
      'media_too_large',
    ],
  })
  goOn(
    @CurrentUser() { userId }: Principal,
    @Param({ schema: UploadParamsSchema }) _upload: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.hand(request, reply, userId);
  }

  @Delete(':uploadId')
  @Operation({
    tag: 'Media',
    id: 'abandonUpload',
    summary: 'Give a resumable upload up',
    answers: [{ status: 204, description: 'What was sent of it is deleted', schema: null }],
    refusals: ['not_found'],
  })
  giveUp(
    @CurrentUser() { userId }: Principal,
    @Param({ schema: UploadParamsSchema }) _upload: unknown,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    return this.hand(request, reply, userId);
  }

  /**
   * The protocol's own server writes the answer; the headers that every answer has are put there before. What it refuses
   * is answered like every other refusal.
   */
  private async hand(request: FastifyRequest, reply: FastifyReply, userId: string | null): Promise<void> {
    if (userId !== null) speakVersion(request, reply);
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    try {
      await this.uploads.handle(request.raw, reply.raw, userId);
    } catch (error) {
      // The bytes that are still coming would have to be read to the end, only to be thrown away.
      if (!request.raw.complete) reply.header('connection', 'close');
      if (!isGone(reply)) throw error;
    }
    reply.hijack();
  }
}

/** Every answer says the version, and every request has to: 412 is what clients of the protocol know for another one. */
function speakVersion(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('tus-resumable', TUS_VERSION);
  if (request.headers['tus-resumable'] === TUS_VERSION) return;
  reply.header('tus-version', TUS_VERSION);
  throw new PreconditionFailedException(`The header Tus-Resumable must be ${TUS_VERSION}`);
}

/** Who broke the connection off hears nothing any more. */
const isGone = ({ raw }: FastifyReply): boolean => raw.headersSent || raw.destroyed;
