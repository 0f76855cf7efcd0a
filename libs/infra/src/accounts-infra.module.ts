import { type DynamicModule, Module } from '@nestjs/common';
import {
  AccountStore,
  Blocks,
  Contacts,
  CursorCodec,
  DeviceStore,
  LoginLimits,
  PasswordHasher,
  PresenceRecords,
  PushSettings,
  RateLimiter,
  SessionRevocations,
  TokenIssuer,
  TokenVerifier,
  UserDirectory,
} from '@parley/domain';
import { Argon2PasswordHasher } from './auth/argon2-password-hasher.js';
import { AuthConfig } from './auth/auth-config.js';
import { HmacCursorCodec } from './auth/hmac-cursor-codec.js';
import { JoseTokenIssuer } from './auth/jose-token-issuer.js';
import { JoseTokenVerifier } from './auth/jose-token-verifier.js';
import { PostgresAccountStore } from './postgres/accounts/postgres-account-store.js';
import { PostgresBlocks } from './postgres/accounts/postgres-blocks.js';
import { PostgresContacts } from './postgres/accounts/postgres-contacts.js';
import { PostgresSessionRevocations } from './postgres/accounts/postgres-session-revocations.js';
import { PostgresUserDirectory } from './postgres/accounts/postgres-user-directory.js';
import { SessionPurge } from './postgres/accounts/session-purge.js';
import { Database } from './postgres/database.js';
import { PostgresDeviceStore } from './postgres/devices/postgres-device-store.js';
import { PostgresPresenceRecords } from './postgres/presence/postgres-presence-records.js';

export interface AccountsInfraOptions {
  /** Open and migrated; whoever opened it closes it, after the application. */
  database: Database;
  auth: AuthConfig;
  loginLimits: LoginLimits;
  rateLimiter: RateLimiter;
  /** Without it devices may be registered, and there is no key for Web Push. */
  push?: PushSettings;
  /** Told about polls and purges that fail, with a sentence for the log; they go on by themselves. */
  onTrouble: (what: string, error: unknown) => void;
}

const EXPORTED = [
  Database,
  AuthConfig,
  AccountStore,
  UserDirectory,
  Contacts,
  Blocks,
  PresenceRecords,
  DeviceStore,
  PushSettings,
  SessionRevocations,
  TokenIssuer,
  TokenVerifier,
  PasswordHasher,
  CursorCodec,
  RateLimiter,
  LoginLimits,
];

/** The adapters behind accounts, sessions and users, for every module of the process. Revocations are polled while it runs. */
@Module({})
export class AccountsInfraModule {
  static forRoot(options: AccountsInfraOptions): DynamicModule {
    const { database, auth, loginLimits, rateLimiter, onTrouble } = options;
    const push = options.push ?? { vapidPublicKey: null, arePrivateEndpointsAllowed: false };
    return {
      module: AccountsInfraModule,
      global: true,
      providers: [
        { provide: Database, useValue: database },
        { provide: AuthConfig, useValue: auth },
        { provide: LoginLimits, useValue: loginLimits },
        { provide: RateLimiter, useValue: rateLimiter },
        { provide: AccountStore, useFactory: () => new PostgresAccountStore(database) },
        { provide: UserDirectory, useFactory: () => new PostgresUserDirectory(database) },
        { provide: Contacts, useFactory: () => new PostgresContacts(database) },
        { provide: Blocks, useFactory: () => new PostgresBlocks(database) },
        { provide: PresenceRecords, useFactory: () => new PostgresPresenceRecords(database) },
        { provide: DeviceStore, useFactory: () => new PostgresDeviceStore(database.pool) },
        { provide: PushSettings, useValue: push },
        { provide: TokenIssuer, useFactory: () => new JoseTokenIssuer(auth) },
        { provide: PasswordHasher, useFactory: () => new Argon2PasswordHasher() },
        { provide: CursorCodec, useFactory: () => new HmacCursorCodec(auth.jwtSecret) },
        {
          provide: SessionRevocations,
          useFactory: () =>
            new PostgresSessionRevocations(database, {
              onTrouble: (error) =>
                onTrouble(
                  error === null ? 'Revoked sessions are polled again' : 'Revoked sessions cannot be polled',
                  error,
                ),
            }),
        },
        {
          provide: TokenVerifier,
          inject: [SessionRevocations, UserDirectory],
          useFactory: (revocations: SessionRevocations, users: UserDirectory) =>
            new JoseTokenVerifier(auth, revocations, users),
        },
        {
          provide: SessionPurge,
          inject: [AccountStore],
          useFactory: (accounts: AccountStore) =>
            new SessionPurge(accounts, (error) => onTrouble('Expired sessions cannot be deleted', error)),
        },
      ],
      exports: EXPORTED,
    };
  }
}
