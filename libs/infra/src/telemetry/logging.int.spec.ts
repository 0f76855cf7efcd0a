import { HttpException, Logger as NestStaticLogger } from '@nestjs/common';
import { NoDoorMetrics, type DoorMetrics } from '@parley/domain';
import { fastify } from 'fastify';
import { describe, expect, it } from 'vitest';
import { createLogger, NestLogger } from './logging.js';
import { Metrics } from './metrics.js';
import { observeRequests, REQUEST_ID_OPTIONS } from './request-telemetry.js';

const TOKEN = `eyJhbGciOiJIUzI1NiJ9.${'eyJzdWIiOiJhZGEifQ'}.s3cr3tS1gnature`;
const MESSAGE_TEXT = 'meet me at the harbour';

function capture(level: 'trace' | 'info' = 'trace') {
  const lines: string[] = [];
  const logger = createLogger({ level }, { write: (line: string) => void lines.push(line) });
  return {
    logger,
    lines,
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown>,
  };
}

function server(metrics: DoorMetrics = new NoDoorMetrics(), captured = capture()) {
  const app = fastify({ ...REQUEST_ID_OPTIONS });
  observeRequests(app, metrics, captured.logger);
  app.post('/v1/conversations/:id/messages', (request) => {
    captured.logger.info({ headers: request.headers, body: request.body, url: request.url }, `sent with ${TOKEN}`);
    return { ok: true };
  });
  app.get('/fails', () => {
    throw Object.assign(new Error(`insert failed for Bearer ${TOKEN}`), {
      code: '23505',
      query: 'INSERT INTO messages …',
      parameters: [MESSAGE_TEXT],
      detail: `Key (content)=(${MESSAGE_TEXT}) already exists.`,
    });
  });
  app.setErrorHandler((error, _request, reply) => {
    captured.logger.error({ err: error }, 'unexpected');
    return reply.code(500).send({});
  });
  return { app, captured };
}

describe('the log', () => {
  it('holds no token and no text of a message, whatever is logged about a request', async () => {
    const { app, captured } = server();
    await app.inject({
      method: 'POST',
      url: `/v1/conversations/c1/messages?access_token=${TOKEN}&password=hunter2`,
      headers: { authorization: `Bearer ${TOKEN}`, cookie: 'session=abcdef' },
      payload: { content: MESSAGE_TEXT, nested: { refreshToken: 'rt-123456', password: 'hunter2' } },
    });
    await app.inject({ method: 'GET', url: '/fails' });
    captured.logger.error(new Error(`connect to postgres://parley:hunter2@db/parley failed`), 'start');
    const text = captured.text();
    expect(text).toContain('request answered');
    expect(text).toContain('23505');
    for (const secret of [TOKEN, 's3cr3tS1gnature', MESSAGE_TEXT, 'hunter2', 'rt-123456', 'abcdef', 'INSERT INTO']) {
      expect(text).not.toContain(secret);
    }
  });

  it('would show the token without redaction: the test above can fail', () => {
    expect(JSON.stringify({ url: `/x?access_token=${TOKEN}` })).toContain('s3cr3tS1gnature');
  });

  it('names requests by their route, never by their path', async () => {
    const { app, captured } = server();
    await app.inject({ method: 'POST', url: '/v1/conversations/secret-id/messages', payload: {} });
    expect(captured.last()).toMatchObject({ route: '/v1/conversations/:id/messages', status: 200, level: 'debug' });
    await app.inject({ method: 'GET', url: '/no/such/secret-id' });
    expect(captured.last()).toMatchObject({ route: 'unmatched', status: 404 });
    expect(captured.text()).not.toMatch(/"route":"[^"]*secret-id/);
  });

  it('is quiet at info about requests that went well', async () => {
    const captured = capture('info');
    const app = fastify({ ...REQUEST_ID_OPTIONS });
    observeRequests(app, new NoDoorMetrics(), captured.logger);
    app.get('/', () => 'ok');
    await app.inject('/');
    expect(captured.lines).toEqual([]);
  });

  it("carries Nest's messages with their context, and stacks with errors", () => {
    const { logger, last } = capture();
    const nest = new NestLogger(logger);
    nest.warn('careful', 'RoutesResolver');
    expect(last()).toMatchObject({ level: 'warn', message: 'careful', context: 'RoutesResolver' });
    nest.error('broken', new Error('x').stack, 'ExceptionsHandler');
    expect(last()).toMatchObject({
      level: 'error',
      context: 'ExceptionsHandler',
      stack: expect.stringContaining('at '),
    });
    nest.error(new HttpException('teapot', 418));
    expect(last()).toMatchObject({ message: 'teapot', err: { type: 'HttpException' } });
    nest.error({ password: 'hunter2' });
    expect(last()).toMatchObject({ details: { password: '[redacted]' } });
    NestStaticLogger.overrideLogger(nest);
    new NestStaticLogger('Pipeline').warn('through the static one');
    expect(last()).toMatchObject({ context: 'Pipeline', message: 'through the static one' });
  });
});

describe('a request id', () => {
  it("is the caller's when it is sane, and comes back in the answer and in the log", async () => {
    const { app, captured } = server();
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/conversations/c1/messages',
      headers: { 'x-request-id': 'edge-7.42' },
      payload: {},
    });
    expect(answer.headers['x-request-id']).toBe('edge-7.42');
    const ids = captured.lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
    expect(ids).toEqual(['edge-7.42', 'edge-7.42']);
  });

  it.each(['', ' ', 'a b', '<script>', 'x'.repeat(129), '{"a":1}', '../x'])(
    'is made here instead of %j',
    async (given) => {
      const { app } = server();
      const answer = await app.inject({ url: '/nothing', headers: { 'x-request-id': given } });
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    },
  );
});

it('measures each request under its route, method and status', async () => {
  const metrics = new Metrics();
  const { app } = server(metrics);
  await app.inject({ method: 'POST', url: '/v1/conversations/c1/messages', payload: {} });
  await app.inject({ method: 'POST', url: '/v1/conversations/c2/messages', payload: {} });
  await app.inject('/fails');
  const text = await metrics.text();
  expect(text).toContain(
    'http_request_duration_ms_count{route="/v1/conversations/:id/messages",method="POST",status="200"} 2',
  );
  expect(text).toContain('http_request_duration_ms_count{route="/fails",method="GET",status="500"} 1');
});
