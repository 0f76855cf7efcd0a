import { ConnectAnswerSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RestClient } from '../clients/rest-client.js';
import { TestApp } from '../clients/test-app.js';
import { sorted } from '../clients/sorted.js';
import type { TestUser } from '../clients/test-user.js';

let app: TestApp;
let open: TestApp;
let ada: TestUser;
let anyone: RestClient;
beforeAll(async () => {
  app = await TestApp.start({ REGION: 'eu' });
  const elsewhere = { REGION: 'us', PUBLIC_URL: 'https://chat.example' };
  open = await TestApp.start({ HOST: '0.0.0.0', METRICS_PORT: '0', ...elsewhere });
  ada = await app.user();
  anyone = new RestClient(app.url);
});
afterAll(async () => {
  await app.stop();
  await open.stop();
});

describe('the pages', () => {
  it('at / lead to the description of the doors, whose pages are there', async () => {
    const home = await anyone.call('GET', '/');
    expect([home.status, home.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(home.text).toContain('"/docs"');
    for (const path of ['/docs', '/docs-json', '/asyncapi', '/asyncapi.json']) {
      expect((await anyone.call('GET', path)).status, path).toBe(200);
    }
  });

  it('describe every REST route of the contract', async () => {
    const document = (await anyone.call('GET', '/docs-json')).json as {
      openapi: string;
      paths: Record<string, object>;
    };
    expect(document.openapi).toMatch(/^3\./);
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`),
    );
    const message = '/v1/conversations/{}/messages/{}';
    for (const route of [
      'POST /v1/auth/signup',
      'POST /v1/auth/login',
      'POST /v1/auth/refresh',
      'POST /v1/auth/logout',
      'GET /v1/users/me',
      'PATCH /v1/users/me',
      'GET /v1/users/{}',
      'GET /v1/users',
      'POST /v1/conversations',
      'GET /v1/conversations',
      'GET /v1/conversations/{}',
      'PATCH /v1/conversations/{}',
      'POST /v1/sync',
      'PUT /v1/conversations/{}/members',
      'GET /v1/conversations/{}/members',
      'GET /v1/connect',
      'POST /v1/conversations/{}/messages',
      'GET /v1/conversations/{}/messages',
      `GET ${message}`,
      `PATCH ${message}`,
      `DELETE ${message}`,
      `PUT ${message}/reactions/{}`,
      `DELETE ${message}/reactions/{}`,
      `GET ${message}/receipts`,
      'PUT /v1/conversations/{}/read',
      'PUT /v1/conversations/{}/settings',
      'GET /v1/users/me/blocks',
      'PUT /v1/users/me/blocks/{}',
      'DELETE /v1/users/me/blocks/{}',
      'GET /v1/users/me/contacts',
      'PUT /v1/users/me/contacts/{}',
      'DELETE /v1/users/me/contacts/{}',
    ]) {
      expect(routes).toContain(route);
    }
  });

  it('describe every socket event of the contract', async () => {
    const document = (await anyone.call('GET', '/asyncapi.json')).json as { asyncapi: string };
    expect(document.asyncapi).toMatch(/^3\./);
    const text = JSON.stringify(document);
    const fromClient = ['send_message', 'edit_message', 'delete_message', 'react', 'unreact', 'ack', 'read_receipt'];
    const more = ['typing', 'sync', 'heartbeat', 'authenticate', 'token_expiring', 'closing', 'resync', 'heads'];
    const fromServer = [
      'new_message',
      'message_updated',
      'typing_indicator',
      'delivery_receipt',
      'conversation_created',
    ];
    const last = ['conversation_updated', 'members_changed', 'conversation_removed'];
    for (const name of [...fromClient, ...more, ...fromServer, ...last]) expect(text).toContain(`"${name}"`);
  });
});

describe('operations', () => {
  it('are live and ready', async () => {
    for (const path of ['/health/live', '/health/ready']) expect((await anyone.call('GET', path)).status).toBe(200);
  });

  it('have figures, whose named ones move', async () => {
    const socket = await ada.connect();
    const { conversationId } = await ada.group([]);
    await ada.send(conversationId, 'counted');
    await socket.waitFor('new_message');
    expect((await anyone.call('GET', '/metrics')).status).toBe(200);
    const text = await app.figures();
    expect(text).toMatch(/^websocket_connections 1$/m);
    expect(text).toMatch(/^messages_sent_total(\{\})? [1-9]/m);
    expect(text).toMatch(/^message_delivery_latency_ms_count [1-9]/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
  });

  it('show no figures on a public port, but on the port of their own', async () => {
    const stranger = new RestClient(open.url);
    expect(await stranger.refusal('GET', '/metrics')).toBe('404 not_found');
    expect((await stranger.call('GET', '/health/ready')).status).toBe(200);
    const metrics = await new RestClient(open.metricsUrl).call('GET', '/metrics');
    expect([metrics.status, metrics.text.includes('websocket_connections')]).toEqual([200, true]);
  });

  it('name a gateway of the region, and others to fall back on: one process alone names itself', async () => {
    const { url, path, fallbackUrls } = await ada.rest.want(200, ConnectAnswerSchema, 'GET', '/v1/connect?region=eu');
    expect(path).toBe('/socket.io');
    expect(sorted([url, ...fallbackUrls].slice(0, app.gatewayUrls.length))).toEqual(sorted([...app.gatewayUrls]));
    const eve = await open.user();
    expect((await eve.rest.want(200, ConnectAnswerSchema, 'GET', '/v1/connect')).url).toBe('https://chat.example');
    expect(await ada.rest.refusal('GET', '/v1/connect?zone=1')).toBe('400 validation_failed zone:unknown_field');
  });
});
