import { isIP } from 'node:net';
import { z } from 'zod';
import { ADAPTER_SETTINGS } from './adapter-settings.js';
import { PUSH_SETTINGS } from './push-settings.js';
import { MEDIA_SETTINGS } from './media-settings.js';
import { SECURITY_SETTINGS } from './security-settings.js';
import {
  choice,
  custom,
  fraction,
  integer,
  list,
  optionalInteger,
  optionalText,
  optionalUrl,
  rateLimit,
  secretText,
  text,
  type Setting,
} from './setting.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** The only place that knows the names of environment variables. Order and grouping are those of the README's table. */
export const SETTINGS = {
  profile: {
    name: choice('PROFILE', {
      description:
        'Which adapters are used. `embedded`: one process with everything it needs. `cluster`: api, gateway and worker processes on engines of their own.',
      options: ['embedded', 'cluster'],
      default: 'embedded',
    }),
    dataDir: text('DATA_DIR', {
      description: 'Folder for everything that must last: the bundled Postgres, keys made at the first start.',
      default: './data',
    }),
  },
  http: {
    port: integer('PORT', {
      description: 'Port of REST, sockets and pages; 0 takes a free one.',
      default: 3000,
      min: 0,
      max: 65_535,
    }),
    host: text('HOST', {
      description: 'Address to listen on. Anything but a loopback address opens the server to the network.',
      default: '127.0.0.1',
      pattern: /^[A-Za-z0-9.:_-]+$/,
      expected: 'must be a host name or an IP address',
    }),
    publicUrl: optionalUrl('PUBLIC_URL', {
      description:
        'Where clients reach this server, if that is not `http://HOST:PORT`, for example behind a proxy. Without a path: it must have a host name, or a port, to itself.',
      protocols: ['http:', 'https:'],
      atRoot: true,
    }),
    allowedOrigins: list('ALLOWED_ORIGINS', {
      description:
        'Comma-separated origins of web pages that may call this server from a browser; `*` allows all. Unset: only its own.',
      isPart: isOrigin,
      expected: 'must be a comma-separated list of origins such as https://app.example.com, or *',
    }),
    trustProxy: custom<false | number | readonly string[]>('TRUST_PROXY', {
      description:
        'Whose `X-Forwarded-For` is believed: `off`, the number of proxies in front, or their addresses and networks, comma-separated.',
      shownDefault: 'off',
      default: false,
      read: readTrustProxy,
    }),
  },
  database: {
    url: optionalUrl('DATABASE_URL', {
      description:
        'A Postgres of your own. Unset: the bundled server, in `DATA_DIR`. With `?sslmode=verify-full&sslrootcert=FILE` it is encrypted and its certificate checked.',
      protocols: ['postgres:', 'postgresql:'],
      secret: true,
    }),
    poolConnectionsMax: integer('DATABASE_POOL_CONNECTIONS_MAX', {
      description: 'Connections to Postgres beside those of the partition owners.',
      default: 10,
      min: 2,
      max: 200,
    }),
  },
  ...ADAPTER_SETTINGS,
  ...SECURITY_SETTINGS,
  auth: {
    jwtSecret: secretText('AUTH_JWT_SECRET', {
      description: 'Signs access tokens. Unset: made once and kept in `DATA_DIR`. Take at least 32 random characters.',
      charsMin: 16,
    }),
    accessTokenSeconds: integer('AUTH_ACCESS_TOKEN_SECONDS', {
      description: 'How long an access token lasts.',
      default: 900,
      max: 86_400,
    }),
    refreshTokenDays: integer('AUTH_REFRESH_TOKEN_DAYS', {
      description: 'How long a refresh token lasts if it is not used.',
      default: 30,
      max: 3_650,
    }),
    externalSecret: secretText('AUTH_EXTERNAL_JWT_SECRET', {
      description: 'Accept access tokens that another system signs with this secret (HS256); at least 32 characters.',
      charsMin: 32,
    }),
    externalJwksUrl: optionalUrl('AUTH_EXTERNAL_JWKS_URL', {
      description: 'Accept access tokens that another system signs with a key of this JWKS (RS256, ES256, EdDSA).',
      protocols: ['http:', 'https:'],
    }),
    externalIssuer: optionalText('AUTH_EXTERNAL_ISSUER', { description: 'The `iss` that such a token must carry.' }),
    externalAudience: optionalText('AUTH_EXTERNAL_AUDIENCE', {
      description: 'The `aud` that such a token must carry.',
    }),
  },
  groups: {
    membersMax: integer('GROUP_MEMBERS_MAX', {
      description: 'Members that a group can have.',
      default: 1_000,
      min: 2,
      max: 10_000,
    }),
  },
  rateLimits: {
    mode: choice('RATE_LIMITS', {
      description: '`off` lifts every limit below.',
      options: ['on', 'off'],
      default: 'on',
    }),
    sendsPerUserInConversation: rateLimit('RATE_LIMIT_SENDS_PER_USER_IN_CONVERSATION_10S', {
      description: 'Sends of a user in one conversation, in 10 seconds.',
      limit: 30,
      windowMs: 10 * SECOND_MS,
    }),
    sendsPerUser: rateLimit('RATE_LIMIT_SENDS_PER_USER_MINUTE', {
      description: 'Sends of a user, in a minute.',
      limit: 120,
      windowMs: MINUTE_MS,
    }),
    sendsPerConversation: rateLimit('RATE_LIMIT_SENDS_PER_CONVERSATION_SECOND', {
      description: 'Sends of all members in one conversation, in a second.',
      limit: 50,
      windowMs: SECOND_MS,
    }),
    socketEvents: rateLimit('RATE_LIMIT_SOCKET_EVENTS_SECOND', {
      description: 'Other events of a socket, in a second; a socket that stays above it is closed.',
      limit: 50,
      windowMs: SECOND_MS,
    }),
    restPerUser: rateLimit('RATE_LIMIT_REST_PER_USER_MINUTE', {
      description: 'REST requests of a user, in a minute.',
      limit: 600,
      windowMs: MINUTE_MS,
    }),
    restPerAddress: rateLimit('RATE_LIMIT_REST_PER_ADDRESS_MINUTE', {
      description: 'REST requests without a token from an address, in a minute.',
      limit: 60,
      windowMs: MINUTE_MS,
    }),
    failedLoginsPerAccount: rateLimit('RATE_LIMIT_FAILED_LOGINS_PER_ACCOUNT_MINUTE', {
      description: 'Failed logins to an account from an address, in a minute.',
      limit: 5,
      windowMs: MINUTE_MS,
    }),
    failedLoginsPerAddress: rateLimit('RATE_LIMIT_FAILED_LOGINS_PER_ADDRESS_MINUTE', {
      description: 'Failed logins from an address, in a minute.',
      limit: 20,
      windowMs: MINUTE_MS,
    }),
    socketsPerUserMax: integer('SOCKETS_PER_USER_MAX', {
      description: 'Open sockets of a user.',
      default: 20,
      max: 1_000_000,
    }),
    socketsPerAddressMax: integer('SOCKETS_PER_ADDRESS_MAX', {
      description: 'Open sockets from an address.',
      default: 200,
      max: 1_000_000,
    }),
  },
  ...MEDIA_SETTINGS,
  pipeline: {
    partitions: integer('PARTITIONS', {
      description: 'Partitions of the command log. Only used when a database is first made; fixed from then on.',
      default: 8,
      clusterDefault: '48',
      max: 1_024,
    }),
    sendWaitMs: integer('SEND_WAIT_MS', {
      description: 'How long a send waits to be stored before it is answered otherwise.',
      default: 2_500,
      min: 100,
      max: 30_000,
    }),
    commandsInFlightMax: integer('COMMANDS_IN_FLIGHT_MAX', {
      description: 'Commands that may wait for the log at once; more are answered `overloaded`.',
      default: 20_000,
      max: 1_000_000,
    }),
    receiptWindowMs: integer('RECEIPT_WINDOW_MS', {
      description: 'Delivered and read marks are gathered for so long before they are written.',
      default: 200,
      min: 10,
      max: 5_000,
    }),
  },
  push: PUSH_SETTINGS,
  sockets: {
    bufferBytesMax: integer('SOCKET_BUFFER_BYTES_MAX', {
      description: 'Bytes that may wait for one slow reader; beyond that its socket is closed (`slow_consumer`).',
      default: 4_000_000,
      min: 100_000,
    }),
    stalledMsMax: integer('SOCKET_STALLED_MS_MAX', {
      description: 'How long a reader may take nothing while something waits for it.',
      default: 10_000,
      min: 1_000,
      max: 600_000,
    }),
  },
  presence: {
    idleAfterMs: integer('PRESENCE_IDLE_AFTER_MS', {
      description: 'Who shows no sign of activity for so long is shown as idle.',
      default: 60_000,
      min: 100,
      max: 3_600_000,
    }),
    offlineAfterMs: integer('PRESENCE_OFFLINE_AFTER_MS', {
      description: 'Who is back within this time after its last device went was never shown as offline.',
      default: 5_000,
      min: 100,
      max: 60_000,
    }),
  },
  shutdown: {
    timeoutMs: integer('SHUTDOWN_TIMEOUT_MS', {
      description: 'An orderly stop ends after this time at the latest.',
      default: 35_000,
      min: 1_000,
      max: 600_000,
    }),
    drainTimeoutMs: integer('SHUTDOWN_DRAIN_TIMEOUT_MS', {
      description: 'Of that, how long requests and commands that have begun may take to end.',
      default: 10_000,
      min: 100,
      max: 600_000,
    }),
    crashTimeoutMs: integer('SHUTDOWN_CRASH_TIMEOUT_MS', {
      description: 'The same bound as SHUTDOWN_TIMEOUT_MS, after an error that nobody caught.',
      default: 5_000,
      min: 100,
      max: 600_000,
    }),
  },
  faults: {
    failPoint: optionalText('FAIL_POINT', {
      description: 'Crash tests only: the process kills itself there, for example `after-commit:17`. Never set it.',
    }),
  },
  logging: {
    level: choice('LOG_LEVEL', {
      description: 'How much is logged. `debug` also logs each request that went well.',
      options: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
    }),
  },
  metrics: {
    port: optionalInteger('METRICS_PORT', {
      description:
        'A port for `/metrics` and detailed health alone. Without it `/metrics` is served on `PORT`, while `HOST` is a loopback address.',
      min: 0,
      max: 65_535,
    }),
  },
  tracing: {
    endpoint: optionalUrl('OTEL_EXPORTER_OTLP_ENDPOINT', {
      description: 'Send OpenTelemetry traces to this OTLP/HTTP collector. Unset: no tracing code is loaded.',
      protocols: ['http:', 'https:'],
    }),
    serviceName: text('OTEL_SERVICE_NAME', { description: 'The name of this service in traces.', default: 'parley' }),
    sampleRatio: fraction('OTEL_TRACES_SAMPLER_ARG', {
      description: 'The part of the traces begun here that is kept, 0 to 1.',
      default: 1,
    }),
  },
} as const satisfies Record<string, Record<string, Setting<unknown>>>;

type Read<Group> = { readonly [Key in keyof Group]: Group[Key] extends Setting<infer Value> ? Value : never };

/** Every setting, parsed and checked, by subject. Frozen: nothing changes it after the start. */
export type AppConfig = { readonly [Group in keyof typeof SETTINGS]: Read<(typeof SETTINGS)[Group]> };

export type RateLimitsConfig = AppConfig['rateLimits'];

/** All settings in one row, as the table lists them. */
export const ALL_SETTINGS: readonly Setting<unknown>[] = Object.values(SETTINGS).flatMap((group): Setting<unknown>[] =>
  Object.values(group),
);

/** The environment as one schema: the names of the variables, their texts in, their values out. Others are ignored. */
export const EnvironmentSchema = z.object(Object.fromEntries(ALL_SETTINGS.map(({ name, schema }) => [name, schema])));

function readTrustProxy(value: string): { value: false | number | readonly string[] } | { must: string } {
  if (value === 'off') return { value: false };
  if (/^[1-9]\d?$/.test(value)) return { value: Number(value) };
  const parts = value.split(',').map((part) => part.trim());
  if (parts.every(isAddressOrNetwork)) return { value: parts };
  return { must: 'must be off, a number of proxies, or a comma-separated list of addresses and networks' };
}

function isAddressOrNetwork(part: string): boolean {
  const [address = '', bits, ...rest] = part.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function isOrigin(part: string): boolean {
  return (
    part === '*' || (URL.canParse(part) && /^https?:$/.test(new URL(part).protocol) && new URL(part).origin === part)
  );
}
