import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DeviceSchema, PresenceListSchema, VapidKeySchema } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { figuresAt } from '../clients/served-app.js';
import type { TestSocket } from '../clients/test-socket.js';
import { TestUser } from '../clients/test-user.js';
import { FcmService } from '../push/fcm-service.js';
import { makeServerCertificates, type PushService, type ServerCertificates } from '../push/push-service.js';
import { WebPushService } from '../push/web-push-service.js';

const READERS = 20;
const BEFORE_THE_KILL = 4;
/** Of one outage of a provider, each half of it of another kind. */
const DOWN_MS = 16_000;
/** Below the ten seconds for which a connected member's device is left in peace. */
const AT_ONCE_MS_MAX = 9_000;
/** Shorter than what is left of the outage. */
const DELIVERED_MS_MAX = 8_000;
const SOON = { timeout: 30_000, interval: 50 };
/** A claimed task of a dead worker is anybody's after half a minute. */
const TAKEN_OVER = { timeout: 75_000, interval: 100 };

let folder: string;
let certificates: ServerCertificates;
let fcm: FcmService;
let web: WebPushService;
let cluster: TrialCluster;
let vapidKey: string;
let ada: TestUser;

/** Commands and events in Kafka; Redis is one of its own, which goes away here. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-push-'));
  certificates = await makeServerCertificates();
  [fcm, web] = await Promise.all([FcmService.start(certificates), WebPushService.start(certificates)]);
  await writeFile(join(folder, 'fcm.json'), JSON.stringify(fcm.account));
  const counts = { workers: 2, apis: 1, gateways: 1 };
  cluster = await TrialCluster.start(['redis'], counts, {
    COMMAND_LOG: 'kafka',
    EVENT_STREAM: 'kafka',
    PUSH_CA_FILE: certificates.caFile,
    PUSH_PRIVATE_ENDPOINTS: 'allow',
    PUSH_REST_MS_MAX: '1000',
    FCM_URL: fcm.url,
    FCM_SERVICE_ACCOUNT_FILE: join(folder, 'fcm.json'),
  });
  ada = await TestUser.signUp(cluster.url, 'Ada');
  ({ publicKey: vapidKey } = await ada.rest.want(200, VapidKeySchema, 'GET', '/v1/push/vapid-key'));
}, 180_000);
afterAll(async () => {
  await cluster?.stop();
  await fcm?.close();
  await web?.close();
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
}, 60_000);
beforeEach(() => {
  for (const service of [fcm, web]) {
    service.behave({ is: 'accepts' });
    service.onArrival = () => {};
    service.arrived.length = 0;
  }
});

interface Reader {
  user: TestUser;
  /** With Ada alone. */
  conversationId: string;
}

async function reader(service: PushService = fcm): Promise<Reader> {
  const user = await TestUser.signUp(cluster.url, 'Reader');
  const device =
    service === web
      ? { platform: 'web', provider: 'webpush', pushToken: web.subscribe(vapidKey) }
      : { platform: 'android', provider: 'fcm', pushToken: randomBytes(20).toString('hex') };
  await user.rest.want(200, DeviceSchema, 'PUT', `/v1/devices/${randomUUID()}`, device);
  return { user, conversationId: (await ada.direct(user)).conversationId };
}
const readers = (count: number, service?: PushService): Promise<Reader[]> =>
  Promise.all(Array.from({ length: count }, () => reader(service)));
const sendTo = (all: readonly Reader[]) =>
  Promise.all(all.map(({ conversationId }) => ada.send(conversationId, 'Hello')));
const timesTold = (service: PushService, { conversationId }: Reader): number =>
  service.arrived.filter((one) => one.conversationId === conversationId && one.kind === 'message').length;
const told = (service: PushService, all: readonly Reader[]): number =>
  all.filter((one) => timesTold(service, one) > 0).length;

/** Resolves when the workers can know of it too. */
async function connected({ user }: Reader): Promise<TestSocket> {
  const socket = await user.connect();
  const status = async (): Promise<string | undefined> => {
    const body = { userIds: [user.userId] };
    return (await ada.rest.want(200, PresenceListSchema, 'POST', '/v1/presence/query', body)).items[0]?.status;
  };
  await expect.poll(status, SOON).toBe('online');
  return socket;
}

/** A worker that waits for the answer of the provider. */
async function workerInTheMiddle(): Promise<RoleProcess> {
  for (const deadline = performance.now() + SOON.timeout; performance.now() < deadline;) {
    for (const worker of cluster.of('worker')) {
      const asked = /^push_in_flight\{provider="fcm"\} (\d+)$/m.exec(await figuresAt(worker.url))?.[1];
      if (Number(asked) > 0) return worker;
    }
  }
  throw new Error('No worker asks the provider.');
}

it('two workers tell each member who is not connected once, and nobody who is', async () => {
  const [away, here] = [await readers(READERS), await reader()];
  const socket = await connected(here);
  await sendTo([here, ...away]);
  const { messageId } = await socket.waitFor('new_message', () => true, DELIVERED_MS_MAX);
  await socket.ask('ack', { conversationId: here.conversationId, messageId });
  await expect.poll(() => told(fcm, away), SOON).toBe(READERS);
  // Whatever was told twice would have been told before this.
  const last = await reader();
  await sendTo([last]);
  await expect.poll(() => told(fcm, [last]), SOON).toBe(1);
  expect(away.map((one) => timesTold(fcm, one))).toEqual(away.map(() => 1));
  expect(timesTold(fcm, here)).toBe(0);
  socket.close();
}, 60_000);

it('members are told at once while Redis is away, connected or not: nobody can say who is', async () => {
  const [away, here] = [await readers(3), await reader()];
  const socket = await connected(here);
  await cluster.engine.kill();
  try {
    const began = performance.now();
    const sending = Promise.all(
      [here, ...away].map(({ conversationId }) => {
        const body = { content: 'Hello', clientMsgId: randomUUID() };
        return ada.rest.call('POST', `/v1/conversations/${conversationId}/messages`, { body });
      }),
    );
    await expect.poll(() => told(fcm, [here, ...away]), SOON).toBe(4);
    expect(performance.now() - began).toBeLessThan(AT_ONCE_MS_MAX);
    // Whoever decided them has no way to tell the api.
    expect((await sending).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  } finally {
    await cluster.engine.start();
    await cluster.group.untilWhole();
  }
  socket.close();
}, 90_000);

it('a provider that hangs and then fails delays neither another nor any message, and gets everything once it works', async () => {
  const [byFcm, byWeb, live] = [await readers(READERS), await readers(8, web), await reader()];
  const socket = await live.user.connect();
  fcm.behave({ is: 'hangs' });
  const asked = fcm.requests;
  await sendTo(byFcm);
  const downSince = performance.now();
  for (const [round, one] of byWeb.entries()) {
    if (round === byWeb.length / 2) fcm.behave({ is: 'fails', status: 500 });
    await sendTo([one]);
    await expect.poll(() => told(web, [one]), { timeout: AT_ONCE_MS_MAX, interval: 20 }).toBe(1);
    const { messageId } = await ada.send(live.conversationId, `live ${round}`);
    await socket.waitFor('new_message', (message) => message.messageId === messageId, DELIVERED_MS_MAX);
    await pause(Math.max(0, downSince + ((round + 1) * DOWN_MS) / byWeb.length - performance.now()));
  }
  expect(told(fcm, byFcm)).toBe(0);
  // After those that were under way, each of two workers asks about once in a second whether it works again.
  expect(fcm.requests - asked).toBeLessThan(READERS + (3 * DOWN_MS) / 1_000);

  fcm.behave({ is: 'accepts' });
  await expect.poll(() => told(fcm, byFcm), { timeout: 45_000, interval: 100 }).toBe(READERS);
  expect(Math.max(...byFcm.map((one) => timesTold(fcm, one)))).toBe(1);
  socket.close();
}, 120_000);

it('a worker that is killed while it tells members leaves none of them without; what is told twice replaces itself', async () => {
  const all = await readers(READERS);
  fcm.onArrival = () => {
    if (told(fcm, all) === BEFORE_THE_KILL) fcm.behave({ is: 'hangs' });
  };
  const sending = Promise.all(
    all.map(({ conversationId }) => {
      const body = { content: 'Hello', clientMsgId: randomUUID() };
      return ada.rest.call('POST', `/v1/conversations/${conversationId}/messages`, { body });
    }),
  );
  await expect.poll(() => told(fcm, all), SOON).toBe(BEFORE_THE_KILL);
  const victim = await workerInTheMiddle();
  victim.signal('SIGKILL');
  expect((await victim.end(5_000)).signal).toBe('SIGKILL');
  expect(told(fcm, all)).toBe(BEFORE_THE_KILL);
  // Accepted is as good as stored: what the dead one had not decided, the other decides.
  for (const { status } of await sending) expect([201, 202]).toContain(status);
  fcm.onArrival = () => {};
  fcm.behave({ is: 'accepts' });

  await expect.poll(() => READERS - told(fcm, all), TAKEN_OVER).toBe(0);
  for (const { conversationId } of all) {
    const collapseIds = fcm.arrived.filter((one) => one.conversationId === conversationId);
    expect(new Set(collapseIds.map(({ collapseId }) => collapseId))).toEqual(
      new Set([conversationId.replaceAll('-', '')]),
    );
  }
}, 150_000);
