import { isAbsolute, resolve } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { ALL_SETTINGS, type AppConfig } from './configuration.js';
import { ConfigurationError, loadConfiguration, type Environment } from './load-configuration.js';
import { isLoopbackHost } from './loopback.js';

function problemsOf(environment: Environment): readonly string[] {
  try {
    loadConfiguration(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('has a usable default for everything', () => {
    const config = loadConfiguration({});
    expect(config.http).toMatchObject({ port: 3000, host: '127.0.0.1', allowedOrigins: [], trustProxy: false });
    expect(config.auth).toMatchObject({ accessTokenSeconds: 900, jwtSecret: undefined });
    expect(config.database.url).toBeUndefined();
    expect(config.groups.membersMax).toBe(1000);
    expect(config.pipeline.partitions).toBe(8);
    expect(isAbsolute(config.profile.dataDir)).toBe(true);
    expect(config.profile.dataDir).toBe(resolve('data'));
  });

  it("has the contract's rate limits as defaults", () => {
    expect(loadConfiguration({}).rateLimits).toEqual({
      mode: 'on',
      sendsPerUserInConversation: { limit: 30, windowMs: 10_000 },
      sendsPerUser: { limit: 120, windowMs: 60_000 },
      sendsPerConversation: { limit: 50, windowMs: 1_000 },
      socketEvents: { limit: 50, windowMs: 1_000 },
      restPerUser: { limit: 600, windowMs: 60_000 },
      restPerAddress: { limit: 60, windowMs: 60_000 },
      failedLoginsPerAccount: { limit: 5, windowMs: 60_000 },
      failedLoginsPerAddress: { limit: 20, windowMs: 60_000 },
      socketsPerUserMax: 20,
      socketsPerAddressMax: 200,
    });
    expect(loadConfiguration({ RATE_LIMITS: 'off' }).rateLimits.mode).toBe('off');
  });

  it('is typed: numbers are numbers, choices are their words', () => {
    expectTypeOf<AppConfig['http']['port']>().toEqualTypeOf<number>();
    expectTypeOf<AppConfig['auth']['jwtSecret']>().toEqualTypeOf<string | undefined>();
    expectTypeOf<AppConfig['rateLimits']['mode']>().toEqualTypeOf<'on' | 'off'>();
    expectTypeOf<AppConfig['http']['trustProxy']>().toEqualTypeOf<false | number | readonly string[]>();
    expectTypeOf<AppConfig['rateLimits']['sendsPerUser']['limit']>().toEqualTypeOf<number>();
  });

  it('reads what is set, without the spaces around it', () => {
    const config = loadConfiguration({
      PORT: ' 8080 ',
      HOST: '0.0.0.0',
      ALLOWED_ORIGINS: 'https://a.example, http://localhost:5173',
      TRUST_PROXY: '10.0.0.0/8, ::1',
      RATE_LIMIT_SENDS_PER_USER_MINUTE: '7',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
    });
    expect(config.http.port).toBe(8080);
    expect(config.http.allowedOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
    expect(config.http.trustProxy).toEqual(['10.0.0.0/8', '::1']);
    expect(config.rateLimits.sendsPerUser).toEqual({ limit: 7, windowMs: 60_000 });
    expect(config.tracing.sampleRatio).toBe(0.25);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfiguration({ PORT: '', DATABASE_URL: '  ', LOG_LEVEL: '' }).http.port).toBe(3000);
  });

  it('lists everything that is wrong at once, a line for each variable', () => {
    const problems = problemsOf({
      PORT: '70000',
      AUTH_ACCESS_TOKEN_SECONDS: '15m',
      LOG_LEVEL: 'loud',
      PUBLIC_URL: 'chat.example',
      ALLOWED_ORIGINS: 'https://a.example/path',
      METRICS_PORT: '3000x',
    });
    expect(problems).toEqual([
      'PORT must be a whole number from 0 to 65535, not "70000"',
      'PUBLIC_URL must be a URL that begins with http:// or https://, not "chat.example"',
      'ALLOWED_ORIGINS must be a comma-separated list of origins such as https://app.example.com, or *, not "https://a.example/path"',
      'AUTH_ACCESS_TOKEN_SECONDS must be a whole number from 1 to 86400, not "15m"',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"',
      'METRICS_PORT must be a whole number from 0 to 65535, not "3000x"',
    ]);
  });

  it('refuses addresses of a server below a path, where its sockets and pages would not be found', () => {
    const below = 'https://example.com/chat';
    const end = 'no path: Parley cannot be below one, not "https://example.com/chat"';
    expect(problemsOf({ PUBLIC_URL: below, GATEWAY_URL: below, GATEWAY_URLS: `https://a.example,${below}` })).toEqual([
      `PUBLIC_URL must be a URL that begins with http:// or https:// and has ${end}`,
      `GATEWAY_URL must be a URL that begins with http:// or https:// and has ${end}`,
      expect.stringMatching(/^GATEWAY_URLS must be a comma-separated list .* and have no path, not /),
    ]);
    const { http } = loadConfiguration({ PUBLIC_URL: 'https://example.com/' });
    expect(http.publicUrl).toBe('https://example.com/');
  });

  it('says how a password is written that breaks the URL it stands in, without repeating it', () => {
    const [problem, ...others] = problemsOf({ DATABASE_URL: 'postgres://parley:se#cret@db/parley' });
    expect(problem).toMatch(/^DATABASE_URL must be a URL .* in its password is written as %23/);
    expect([others, problem?.includes('cret@')]).toEqual([[], false]);
  });

  it.each(['1e3', '0x10', '12.5', '-1', '１２', 'NaN', '99999999999999999999'])('refuses %s as a port', (PORT) => {
    expect(problemsOf({ PORT })).toHaveLength(1);
  });

  it('never repeats a secret in an error', () => {
    const secrets = {
      AUTH_JWT_SECRET: 'short-one',
      AUTH_EXTERNAL_JWT_SECRET: 'too-short-for-hs256',
      DATABASE_URL: 'mysql://user:hunter2@db/parley',
    };
    const problems = problemsOf(secrets).join('\n');
    for (const [name, value] of Object.entries(secrets)) {
      expect(problems).toContain(name);
      expect(problems).not.toContain(value);
    }
  });

  it('finds settings that contradict each other, beside the malformed ones', () => {
    expect(problemsOf({ METRICS_PORT: '3000' })).toEqual(['METRICS_PORT must be another port than PORT']);
    expect(problemsOf({ AUTH_EXTERNAL_ISSUER: 'x', LOG_LEVEL: 'loud' })).toHaveLength(2);
    expect(problemsOf({ PORT: '0', METRICS_PORT: '0' })).toEqual([]);
  });

  it('cannot be changed after it was read', () => {
    const config = loadConfiguration({ TRUST_PROXY: '10.0.0.1' });
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(config.http.trustProxy)).toBe(true);
  });

  it('describes every variable, once', () => {
    const names = ALL_SETTINGS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, description } of ALL_SETTINGS) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(description).toMatch(/\.$/);
    }
  });
});

describe('a loopback host', () => {
  it.each(['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost', 'LOCALHOST', '::ffff:127.0.0.1'])('is %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '::ffff:10.0.0.1', 'localhost.example', '127.0.0.1.example', ''])(
    'is not %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});
