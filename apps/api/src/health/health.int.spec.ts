import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, HealthChecks, loadConfiguration, Metrics, OperationsInfraModule, Shutdown } from '@parley/infra';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProblemFilter } from '../http/problem-filter.js';
import { HealthModule } from './health.module.js';

const logger = createLogger({ level: 'silent' });

async function appOn(host: string) {
  const health = new HealthChecks(undefined, 0);
  const metrics = new Metrics();
  const broken = new Set<string>();
  for (const name of ['database', 'pipeline']) {
    health.register(name, () => {
      if (broken.has(name)) throw new Error('down');
    });
  }
  const operations = OperationsInfraModule.forRoot({
    config: loadConfiguration({ HOST: host }),
    logger,
    metrics,
    health,
    shutdown: new Shutdown(logger),
  });
  class TestModule {}
  const app = await NestFactory.create<NestFastifyApplication>(
    { module: TestModule, imports: [operations, HealthModule] },
    new FastifyAdapter(),
    { logger: false },
  );
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  const get = (url: string, remoteAddress = '127.0.0.1', headers: Record<string, string> = {}) =>
    app.inject({ url, remoteAddress, headers });
  return { app, get, broken, health, metrics };
}

describe('health and figures on the public port', () => {
  let server: Awaited<ReturnType<typeof appOn>>;
  beforeEach(async () => {
    server = await appOn('127.0.0.1');
  });
  afterEach(() => server.app.close());

  it('is live, and ready while every part is', async () => {
    for (const path of ['/health/live', '/health/ready']) {
      const answer = await server.get(path);
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ status: 'ok' });
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('tells this machine which part is missing, and stays live', async () => {
    server.broken.add('database');
    const answer = await server.get('/health/ready');
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ status: 'unavailable', missing: ['database'] });
    expect((await server.get('/health/live')).statusCode).toBe(200);
  });

  it.each([
    ['from elsewhere', '203.0.113.9', {}],
    ['through a proxy on this machine', '127.0.0.1', { 'x-forwarded-for': '203.0.113.9' }],
  ])('tells a caller %s only that it is not ready', async (_, address, headers) => {
    server.broken.add('database');
    const answer = await server.get('/health/ready', address, headers);
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ status: 'unavailable' });
  });

  it('is not ready any more while it drains', async () => {
    server.health.drain();
    expect((await server.get('/health/ready')).statusCode).toBe(503);
  });

  it('shows its figures to this machine', async () => {
    server.metrics.messagesSent(3);
    const answer = await server.get('/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.body).toMatch(/^messages_sent_total 3$/m);
  });

  it.each(['localhost', 'Localhost:3000', 'parley.localhost:3000', '127.0.0.1:3000', '127.1.2.3', '[::1]:3000'])(
    'shows its figures to who calls it %s',
    async (host) => {
      expect((await server.get('/metrics', '127.0.0.1', { host })).statusCode).toBe(200);
    },
  );

  it.each([
    ['from elsewhere', '203.0.113.9', {}],
    ['through a proxy on this machine', '::1', { forwarded: 'for=203.0.113.9' }],
    ['through one that adds no header', '127.0.0.1', { host: 'chat.example.com' }],
  ])('has no figures for a caller %s', async (_, address, headers) => {
    const answer = await server.get('/metrics', address, headers);
    expect(answer.statusCode).toBe(404);
    expect(answer.body).not.toContain('messages_sent_total');
  });
});

it('a server that is open to the network shows no figures on its public port, not even to this machine', async () => {
  const server = await appOn('0.0.0.0');
  expect((await server.get('/metrics')).statusCode).toBe(404);
  expect((await server.get('/health/ready')).statusCode).toBe(200);
  await server.app.close();
});
