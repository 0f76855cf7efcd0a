import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { DomainError } from '@parley/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Public } from '../auth/public.js';
import { HOME_PAGE } from '../documents/home-page.js';
import { PAGE_HEADERS } from '../documents/page-style.js';
import { HttpSettings } from '../http/http-settings.js';
import { type WebClientFile, WebClientFiles } from './web-client-files.js';
import { webClientPolicy } from './web-client-policy.js';

const KEPT_FOR_GOOD = 'public, max-age=31536000, immutable';
/** Kept, and asked for each time whether it changed: a new build shows at the next visit. */
const ASKED_EACH_TIME = 'no-cache';

/** The web client: one page for all of its addresses, and the files that it loads. */
@Public()
@Controller()
export class WebClientController {
  private readonly policy: string;

  constructor(
    @Inject(WebClientFiles) private readonly files: WebClientFiles,
    @Inject(HttpSettings) settings: HttpSettings,
  ) {
    const { gatewayUrls, areSocketsElsewhere, mediaOrigins } = settings;
    this.policy = webClientPolicy({ gatewayUrls, areElsewhere: areSocketsElsewhere, mediaOrigins });
  }

  /** Where no web client was built, what this server is and where to go on. */
  @Get()
  async home(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (this.files.page) return this.page(request, reply);
    await reply
      .header('content-type', PAGE_HEADERS.type)
      .header('content-security-policy', PAGE_HEADERS.policy)
      .send(HOME_PAGE);
  }

  @Get(['login', 'signup', 'settings', 'c/:conversationId'])
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.header('content-security-policy', this.policy);
    await answer(this.files.page, request, reply);
  }

  @Get(['assets/:name', 'favicon.svg', 'icon-192.png', 'manifest.webmanifest', 'service-worker.js'])
  async file(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // A worker may do what its own answer allows, whatever the page may that it belongs to.
    reply.header('content-security-policy', this.policy);
    await answer(this.files.find(request.url.split('?', 1)[0] ?? ''), request, reply);
  }
}

async function answer(file: WebClientFile | undefined, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (!file) throw new DomainError('not_found', 'There is no such page');
  reply.header('cache-control', file.isHashed ? KEPT_FOR_GOOD : ASKED_EACH_TIME).header('etag', file.etag);
  if (file.compressed.size > 0) reply.header('vary', 'accept-encoding');
  if (request.headers['if-none-match'] === file.etag) return void (await reply.code(304).send());
  const accepted = new Set((request.headers['accept-encoding'] ?? '').split(',').map((part) => part.trim()));
  const [encoding, bytes] = [...file.compressed].find(([name]) => accepted.has(name)) ?? [];
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  await reply.type(file.type).send(bytes ?? file.bytes);
}
