import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Media, MediaIdSchema, MediaSchema } from '@parley/contracts';
import { GetMedia, MediaStorage, type MediaVariant, type Principal, UploadMedia } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CurrentUser } from '../auth/current-user.js';
import { Public } from '../auth/public.js';
import { Operation } from '../documents/operation.js';
import { sendMedia } from './media-answer.js';
import { type MediaRequest, MediaViewerGuard } from './media-viewer-guard.js';
import { readMultipartFile } from './multipart-file.js';

const MediaParamsSchema = z.strictObject({ mediaId: MediaIdSchema });
type MediaParams = z.infer<typeof MediaParamsSchema>;

const LINK_PART_CHARS_MAX = 100;
const part = z.string().max(LINK_PART_CHARS_MAX).optional();
const MediaQuerySchema = z.strictObject({
  viewer: part.meta({ description: 'Of a signed link' }),
  expires: part.meta({ description: 'Of a signed link' }),
  signature: part.meta({ description: 'Of a signed link' }),
  avatar: part.meta({ description: 'Of the link of an avatar' }),
  download: z.literal('1').optional().meta({ description: 'Saves the file instead of showing it' }),
});
type MediaQuery = z.infer<typeof MediaQuerySchema>;

const DESCRIPTION =
  'For its uploader, members of a conversation that it was sent to, and everybody while it is an avatar: by an access token, or by the signature of a link as messages carry it. One range is served; `ETag` and `If-None-Match` too. A server that keeps files in S3 answers 302.';
const NOT_YET =
  'Where it is not made yet, the answer waits for it: some seconds, after which it is 503 `overloaded` with `Retry-After`. 404 is for a medium that has none and will have none.';

@Controller('v1/media')
export class MediaController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
    @Inject(MediaStorage) private readonly storage: MediaStorage,
  ) {}

  @Post('upload')
  @HttpCode(201)
  @Operation({
    tag: 'Media',
    id: 'uploadMedia',
    summary: 'Upload a file',
    description:
      'As `multipart/form-data` with one field, `file`. Its type is found from its bytes. What is neither sent nor made an avatar within a day is deleted.',
    upload: true,
    answers: [{ status: 201, description: 'Kept; send it with its `mediaId`', schema: MediaSchema }],
    refusals: ['payload_too_large', 'media_quota_exceeded', 'unsupported_media_type', 'media_too_large'],
  })
  upload(@CurrentUser() { userId }: Principal, @Req() request: FastifyRequest): Promise<Media> {
    return readMultipartFile(request.raw, (file, claims) =>
      this.commands.execute(new UploadMedia(userId, claims, file)),
    );
  }

  @Get(':mediaId')
  @Public()
  @UseGuards(MediaViewerGuard)
  @Operation({
    tag: 'Media',
    summary: 'The bytes of a file',
    description: DESCRIPTION,
    bytes: true,
    answers: [{ status: 200, description: 'The file', schema: null }],
    refusals: ['unauthenticated', 'token_expired', 'session_revoked', 'not_found'],
  })
  getMedia(
    @Req() request: MediaRequest,
    @Param({ schema: MediaParamsSchema }) { mediaId }: MediaParams,
    @Query({ schema: MediaQuerySchema }) query: MediaQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(request, reply, mediaId, 'original', query);
  }

  @Get(':mediaId/thumbnail')
  @Public()
  @UseGuards(MediaViewerGuard)
  @Operation({
    tag: 'Media',
    summary: 'A picture of at most 320 pixels',
    description: `${DESCRIPTION} ${NOT_YET}`,
    bytes: true,
    answers: [{ status: 200, description: 'The picture', schema: null }],
    refusals: ['unauthenticated', 'token_expired', 'session_revoked', 'not_found', 'overloaded'],
  })
  getThumbnail(
    @Req() request: MediaRequest,
    @Param({ schema: MediaParamsSchema }) { mediaId }: MediaParams,
    @Query({ schema: MediaQuerySchema }) query: MediaQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(request, reply, mediaId, 'thumbnail', query);
  }

  @Get(':mediaId/screen')
  @Public()
  @UseGuards(MediaViewerGuard)
  @Operation({
    tag: 'Media',
    summary: 'A picture of at most 1,600 pixels; the original where that is no larger',
    description: `${DESCRIPTION} ${NOT_YET}`,
    bytes: true,
    answers: [{ status: 200, description: 'The picture', schema: null }],
    refusals: ['unauthenticated', 'token_expired', 'session_revoked', 'not_found', 'overloaded'],
  })
  getScreenPicture(
    @Req() request: MediaRequest,
    @Param({ schema: MediaParamsSchema }) { mediaId }: MediaParams,
    @Query({ schema: MediaQuerySchema }) query: MediaQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(request, reply, mediaId, 'screen', query);
  }

  private async answer(
    request: MediaRequest,
    reply: FastifyReply,
    mediaId: string,
    variant: MediaVariant,
    { download }: MediaQuery,
  ): Promise<void> {
    const { viewer } = request;
    if (!viewer) throw new Error('A medium was asked for on a route without MediaViewerGuard');
    const file = await this.queries.execute(new GetMedia(viewer, mediaId, variant, download !== undefined));
    await sendMedia(file, this.storage, request, reply);
  }
}
