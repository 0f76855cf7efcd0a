import { Global, Module, type DynamicModule, type Type } from '@nestjs/common';
import { Command, CommandHandler, CqrsModule, Query, QueryHandler } from '@nestjs/cqrs';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import * as domain from '@parley/domain';
import {
  DomainError,
  DoorMetrics,
  MediaLinks,
  MediaStorage,
  NoDoorMetrics,
  type Principal,
  RateLimiter,
  TokenVerifier,
  UnlimitedRateLimiter,
} from '@parley/domain';
import { createLogger, observeRequests, REQUEST_ID_OPTIONS } from '@parley/infra';
import { PlainLinks } from '../../../libs/domain/src/media/testing/given-media.js';
import { AccountsModule } from './accounts/accounts.module.js';
import { API_CONTROLLERS } from './api.module.js';
import { DevicesModule } from './devices/devices.module.js';
import { configureHttp } from './http/configure-http.js';
import { createHttpAdapter } from './http/http-adapter.js';
import { HttpSettings } from './http/http-settings.js';
import { ResumableUploads } from './media/resumable-uploads.js';
import { UsersModule } from './users/users.module.js';
import { WebClientFiles } from './web-client/web-client-files.js';

export const CALLER = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';
export const OTHER_CALLER = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92';

/** Tokens are user ids; `late:` before one makes it unknown to the cache, `expired` and `revoked` are refused. */
class StandInVerifier extends TokenVerifier {
  override verifyCached(token: string): Principal | null {
    return /^[0-9a-f-]{36}$/.test(token) ? principal(token) : null;
  }
  override async verify(token: string): Promise<Principal> {
    if (token === 'expired') throw new DomainError('token_expired');
    if (token === 'revoked') throw new DomainError('session_revoked');
    if (!token.startsWith('late:')) throw new DomainError('unauthenticated');
    return principal(token.slice('late:'.length));
  }
}

function principal(userId: string): Principal {
  return { userId, sessionId: null, expiresAt: Number.MAX_SAFE_INTEGER, external: false };
}

export type Answers = Map<object, (message: never) => unknown>;

/** A handler for each command and query of the domain, registered on the real buses; what it says is `answers`. */
function handlersFor(answers: Answers): Type[] {
  const kinds = Object.values(domain).filter((value): value is Type => typeof value === 'function');
  const handlers: Type[] = [];
  for (const kind of kinds) {
    const isCommand = kind.prototype instanceof Command;
    if (!isCommand && !(kind.prototype instanceof Query)) continue;
    class Handler {
      async execute(message: never): Promise<unknown> {
        const answer = answers.get(kind);
        if (!answer) throw new Error(`The test says nothing about ${kind.name}`);
        return answer(message);
      }
    }
    (isCommand ? CommandHandler(kind) : QueryHandler(kind))(Handler);
    Object.defineProperty(Handler, 'name', { value: `${kind.name}StandIn` });
    handlers.push(Handler);
  }
  return handlers;
}

@Global()
@Module({})
class StandIns {
  static with(answers: Answers, limiter: RateLimiter): DynamicModule {
    return {
      module: StandIns,
      imports: [CqrsModule.forRoot()],
      providers: [
        ...handlersFor(answers),
        { provide: TokenVerifier, useClass: StandInVerifier },
        { provide: RateLimiter, useValue: limiter },
        { provide: MediaLinks, useClass: PlainLinks },
        { provide: MediaStorage, useValue: null },
        { provide: ResumableUploads, useValue: null },
        { provide: DoorMetrics, useClass: NoDoorMetrics },
      ],
      exports: [TokenVerifier, RateLimiter, DoorMetrics, MediaLinks, MediaStorage, ResumableUploads, CqrsModule],
    };
  }
}

export interface RestDoorOptions {
  settings?: Partial<HttpSettings>;
  limiter?: RateLimiter;
  trustProxy?: false | number | readonly string[];
  /** The folder of a built web client; there is none unless it is given. */
  webClientFolder?: string;
}

export interface RestDoor {
  app: NestFastifyApplication;
  answers: Answers;
  log: string[];
  /** `GET /v1/users/:userId` and so on: what the router serves. */
  routes: string[];
  close(): Promise<void>;
}

/** The REST door as it is shipped, on real buses, with stand-ins behind them. Not listening: use `inject` or `listen`. */
export async function openRestDoor(options: RestDoorOptions = {}): Promise<RestDoor> {
  const { settings, limiter, trustProxy = false, webClientFolder = '' } = options;
  const answers: Answers = new Map();
  const log: string[] = [];
  const httpSettings: HttpSettings = {
    publicUrl: null,
    gatewayUrls: [],
    region: null,
    areSocketsElsewhere: false,
    allowedOrigins: [],
    mediaOrigins: [],
    restPerUser: { limit: 600, windowMs: 60_000 },
    restPerAddress: { limit: 60, windowMs: 60_000 },
    ...settings,
  };
  class RestDoorModule {}
  const root: DynamicModule = {
    module: RestDoorModule,
    imports: [StandIns.with(answers, limiter ?? new UnlimitedRateLimiter())],
    // The handlers behind accounts and users need engines; their controllers are what is of this door.
    controllers: [...API_CONTROLLERS, ...[AccountsModule, UsersModule, DevicesModule].flatMap(controllersOf)],
    providers: [
      { provide: HttpSettings, useValue: httpSettings },
      { provide: WebClientFiles, useFactory: () => WebClientFiles.in(webClientFolder) },
    ],
  };
  const write = (...parts: unknown[]) => void log.push(parts.map(String).join(' '));
  const adapter = createHttpAdapter({ trustProxy, requestId: REQUEST_ID_OPTIONS.genReqId });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    bodyParser: false,
    abortOnError: false,
    logger: { log: () => {}, warn: write, error: write, fatal: write },
  });
  const routes: string[] = [];
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method, url }) => {
      routes.push(...[method].flat().map((verb) => `${verb} ${url}`));
    });
  observeRequests(app.getHttpAdapter().getInstance(), new NoDoorMetrics(), createLogger({ level: 'silent' }));
  configureHttp(app);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return { app, answers, log, routes, close: () => app.close() };
}

function controllersOf(module: Type): Type[] {
  return (Reflect.getMetadata('controllers', module) ?? []) as Type[];
}
