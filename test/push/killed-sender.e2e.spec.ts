import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceSchema } from '@parley/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TestUser } from '../clients/test-user.js';
import { ServerProcess } from '../no-loss/server-process.js';
import { FcmService } from './fcm-service.js';
import { makeServerCertificates, type ServerCertificates } from './push-service.js';

const READERS = 20;
const BEFORE_THE_KILL = 4;

let dataDir: string;
let certificates: ServerCertificates;
let fcm: FcmService;
let server: ServerProcess;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-test-postgres-push-'));
  certificates = await makeServerCertificates();
  fcm = await FcmService.start(certificates);
  const account = join(dataDir, 'fcm.json');
  await writeFile(account, JSON.stringify(fcm.account));
  const push = { PUSH_CA_FILE: certificates.caFile, FCM_URL: fcm.url, FCM_SERVICE_ACCOUNT_FILE: account };
  server = await ServerProcess.prepare(dataDir, push);
  await server.start();
}, 120_000);
afterAll(async () => {
  await server.destroy();
  await fcm.close();
  await certificates.remove();
  await rm(dataDir, { recursive: true, force: true });
});

it('a server that is killed while it notifies twenty members leaves none of them without', async () => {
  const ada = await TestUser.signUp(server.url, 'Ada');
  const conversations: string[] = [];
  for (let reader = 0; reader < READERS; reader += 1) {
    const user = await TestUser.signUp(server.url, 'Reader');
    const device = { platform: 'android', provider: 'fcm', pushToken: randomBytes(20).toString('hex') };
    await user.rest.want(200, DeviceSchema, 'PUT', `/v1/devices/${randomUUID()}`, device);
    conversations.push((await ada.direct(user)).conversationId);
  }
  const told = (): Set<string> => new Set(fcm.arrived.map(({ conversationId }) => conversationId));
  const killed = new Promise<void>((resolve) => {
    fcm.onArrival = () => {
      if (told().size < BEFORE_THE_KILL) return;
      // The rest of what is under way gets no answer.
      fcm.behave({ is: 'hangs' });
      server.signal('SIGKILL');
      resolve();
    };
  });
  const sent = await Promise.allSettled(conversations.map((conversationId) => ada.send(conversationId, 'Hello')));
  await killed;
  expect((await server.end(10_000)).signal).toBe('SIGKILL');
  const stored = conversations.filter((_, place) => sent[place]?.status === 'fulfilled');
  expect(stored.length).toBeGreaterThan(BEFORE_THE_KILL);
  expect(told().size).toBeLessThan(READERS);

  fcm.onArrival = () => {};
  fcm.behave({ is: 'accepts' });
  await server.start();
  await vi.waitFor(() => expect(stored.filter((id) => !told().has(id))).toEqual([]), {
    timeout: 60_000,
    interval: 100,
  });
}, 150_000);
