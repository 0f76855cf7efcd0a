import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceSchema, VapidKeySchema } from '@parley/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import { makeServerCertificates, type ServerCertificates } from './push-service.js';
import { WebPushService } from './web-push-service.js';

const [READERS, DEVICES_EACH] = [25, 20];
const ANSWER_MS = 100;

let certificates: ServerCertificates;
let web: WebPushService;
let app: TestApp;
beforeAll(async () => {
  certificates = await makeServerCertificates();
  web = await WebPushService.start(certificates);
  const services = { PUSH_CA_FILE: certificates.caFile, PUSH_PRIVATE_ENDPOINTS: 'allow', METRICS_PORT: '0' };
  app = await TestApp.start(services, 'alone');
}, 120_000);
afterAll(async () => {
  await app?.stop();
  await web?.close();
  await certificates?.remove();
});

it('five hundred browsers of one vendor are told of a message, and their service is not taken for one that fails', async () => {
  const [ada, ...readers] = await app.someUsers(...Array.from({ length: READERS + 1 }, () => 'Reader'));
  const { publicKey } = await ada!.rest.want(200, VapidKeySchema, 'GET', '/v1/push/vapid-key');
  for (const reader of readers) {
    for (let device = 0; device < DEVICES_EACH; device += 1) {
      const body = { platform: 'web', provider: 'webpush', pushToken: web.subscribe(publicKey) };
      await reader.rest.want(200, DeviceSchema, 'PUT', `/v1/devices/${randomUUID()}`, body);
    }
  }
  const { conversationId } = await ada!.group(readers, 'Everybody');
  web.hold = () => sleep(ANSWER_MS);
  const began = performance.now();
  await ada!.send(conversationId, 'Hello');
  await vi.waitFor(() => expect(web.arrived).toHaveLength(READERS * DEVICES_EACH), { timeout: 120_000, interval: 20 });
  const tookMs = Math.round(performance.now() - began);
  if (process.env['BURST_TIME']) process.stdout.write(`${READERS * DEVICES_EACH} browsers told in ${tookMs} ms\n`);
  const metrics = await (await fetch(`${app.metricsUrl}/metrics`)).text();
  expect(metrics).toMatch(/^push_notifications_total\{[^}]*outcome="sent"/m);
  expect(metrics).not.toMatch(/^push_notifications_total\{[^}]*outcome="failed"/m);
}, 240_000);
