import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Session } from '@parley/contracts';
import { Broadcast, DoorMetrics, LOGIN_LIMITS_DEFAULT, NoDoorMetrics } from '@parley/domain';
import { randomBytes, randomUUID } from 'node:crypto';
import { AccountsInfraModule } from '../../../../libs/infra/src/accounts-infra.module.js';
import type { AuthConfig } from '../../../../libs/infra/src/auth/auth-config.js';
import { MediaInfraModule } from '../../../../libs/infra/src/media-infra.module.js';
import { MemoryBroadcast } from '../../../../libs/infra/src/memory/memory-broadcast.js';
import { MemoryRateLimiter } from '../../../../libs/infra/src/memory/memory-rate-limiter.js';
import { type Database, openDatabase } from '../../../../libs/infra/src/postgres/database.js';
import { startTestPostgres } from '../../../../libs/infra/src/postgres/embedded/testing.js';
import { configureHttp } from '../http/configure-http.js';
import { createHttpAdapter } from '../http/http-adapter.js';
import { HttpSettings } from '../http/http-settings.js';
import { UsersModule } from '../users/users.module.js';
import { AccountsModule } from './accounts.module.js';

@Global()
@Module({
  providers: [
    { provide: DoorMetrics, useClass: NoDoorMetrics },
    { provide: Broadcast, useFactory: () => new MemoryBroadcast() },
  ],
  exports: [DoorMetrics, Broadcast],
})
class Surroundings {}

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  headers: Headers;
  text: string;
}

export interface Account extends Session {
  username: string;
  password: string;
}

/** The REST door over real accounts: HTTP on a random port, a database of its own. */
export interface AccountsDoor {
  database: Database;
  call(method: string, path: string, token?: string, body?: unknown, address?: string): Promise<Answer>;
  signUp(displayName?: string): Promise<Account>;
  close(): Promise<void>;
}

export const EXTERNAL_SECRET = 'the secret of another system, long enough';

const unlimited = { limit: 1_000_000, windowMs: 60_000 };
const settings: HttpSettings = {
  publicUrl: null,
  gatewayUrls: [],
  region: null,
  areSocketsElsewhere: false,
  allowedOrigins: [],
  mediaOrigins: [],
  restPerUser: unlimited,
  restPerAddress: unlimited,
};

export async function openAccountsDoor(auth: Partial<AuthConfig> = {}): Promise<AccountsDoor> {
  const server = await startTestPostgres();
  const database = await openDatabase({ url: server.url, poolSize: 5 });
  const root = {
    module: class Root {},
    imports: [
      CqrsModule.forRoot(),
      Surroundings,
      AccountsInfraModule.forRoot({
        database,
        auth: {
          jwtSecret: 'the secret of this server, long enough',
          accessTokenSeconds: 900,
          refreshTokenDays: 30,
          externalSecret: EXTERNAL_SECRET,
          ...auth,
        },
        loginLimits: LOGIN_LIMITS_DEFAULT,
        rateLimiter: new MemoryRateLimiter(),
        onTrouble: () => {},
      }),
      MediaInfraModule.records({ database, jwtSecret: 'the secret of this server, long enough' }),
      AccountsModule,
      UsersModule,
    ],
    providers: [{ provide: HttpSettings, useValue: settings }],
  };
  // One proxy in front is believed, so that a test can come from any address.
  const adapter = createHttpAdapter({ trustProxy: 1, requestId: () => randomUUID() });
  const options = { bodyParser: false, logger: false, abortOnError: false } as const;
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, options);
  configureHttp(app);
  await app.listen(0, '127.0.0.1');
  const origin = await app.getUrl();

  const call: AccountsDoor['call'] = async (method, path, token, body, address) => {
    const headers: Record<string, string> = {};
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (address !== undefined) headers['x-forwarded-for'] = address;
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${origin}/v1${path}`, init);
    const text = await response.text();
    const parsed = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    return { status: response.status, body: parsed, headers: response.headers, text };
  };
  return {
    database,
    call,
    signUp: async (displayName = 'Somebody') => {
      const [username, password] = [`u${randomBytes(6).toString('hex')}`, `pw ${randomBytes(9).toString('base64url')}`];
      const answer = await call('POST', '/auth/signup', undefined, { username, password, displayName });
      if (answer.status !== 201) throw new Error(`Signing up answered ${answer.status} ${answer.text}`);
      return { ...(answer.body as unknown as Session), username, password };
    },
    close: async () => {
      await app.close();
      await database.close();
      await server.stop();
    },
  };
}
