import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HealthChecks } from './health-checks.js';
import { Metrics } from './metrics.js';
import { startOperationsServer, type OperationsServer } from './operations-server.js';

describe('the port for operators', () => {
  let server: OperationsServer;
  let health: HealthChecks;
  let broken: boolean;
  const metrics = new Metrics();
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  beforeEach(async () => {
    broken = false;
    health = new HealthChecks(undefined, 0);
    health.register('database', () => {
      if (broken) throw new Error('down');
    });
    server = await startOperationsServer({ host: '127.0.0.1', port: 0, metrics, health });
  });
  afterEach(() => server.close());

  it('serves what Prometheus scrapes', async () => {
    metrics.messagesSent(4);
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await answer.text()).toMatch(/^messages_sent_total 4$/m);
  });

  it('says which part is missing', async () => {
    expect(await (await get('/health/ready')).json()).toEqual({ status: 'ok' });
    broken = true;
    const answer = await get('/health/ready');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: 'unavailable', missing: ['database'] });
    expect((await get('/health/live')).status).toBe(200);
  });

  it('serves nothing else and changes nothing', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/v1/users/me')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST' })).status).toBe(405);
  });

  it('rejects when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startOperationsServer({ host: '127.0.0.1', port, metrics, health })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    other.close();
  });
});
