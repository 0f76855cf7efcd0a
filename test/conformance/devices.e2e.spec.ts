import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeviceListSchema,
  DeviceSchema,
  SessionSchema,
  VapidKeySchema,
  type Device,
  type Session,
} from '@parley/contracts';
import { RestClient } from '../clients/rest-client.js';

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestApp } from '../clients/test-app.js';
import { PASSWORD, type TestUser } from '../clients/test-user.js';
import { APNS_KEY_ID, APNS_TEAM, APNS_TOPIC, ApnsService } from '../push/apns-service.js';
import { FcmService } from '../push/fcm-service.js';
import { makeServerCertificates, type PushService, type ServerCertificates } from '../push/push-service.js';
import { WebPushService } from '../push/web-push-service.js';

const SOON = { timeout: 20_000, interval: 50 };

let folder: string;
let certificates: ServerCertificates;
let apns: ApnsService;
let fcm: FcmService;
let web: WebPushService;
let app: TestApp;
let vapidKey: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-push-'));
  certificates = await makeServerCertificates();
  apns = await ApnsService.start(certificates);
  fcm = await FcmService.start(certificates);
  web = await WebPushService.start(certificates);
  await writeFile(join(folder, 'apns.p8'), apns.signingKey);
  await writeFile(join(folder, 'fcm.json'), JSON.stringify(fcm.account));
  const services = {
    PUSH_CA_FILE: certificates.caFile,
    PUSH_PRIVATE_ENDPOINTS: 'allow',
    APNS_URL: apns.url,
    APNS_KEY_FILE: join(folder, 'apns.p8'),
    APNS_KEY_ID,
    APNS_TEAM_ID: APNS_TEAM,
    APNS_TOPIC,
    FCM_URL: fcm.url,
    FCM_SERVICE_ACCOUNT_FILE: join(folder, 'fcm.json'),
    VAPID_SUBJECT: 'mailto:ops@example.com',
  };
  // The workers push: they must be its own, too.
  app = await TestApp.start(services, 'alone');
  const someone = await app.user();
  ({ publicKey: vapidKey } = await someone.rest.want(200, VapidKeySchema, 'GET', '/v1/push/vapid-key'));
});
afterAll(async () => {
  await app?.stop();
  for (const service of [apns, fcm, web] as (PushService | undefined)[]) await service?.close();
  await certificates?.remove();
  await rm(folder, { recursive: true, force: true });
});

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');
const android = (): object => ({ platform: 'android', provider: 'fcm', pushToken: hex(20) });
const iphone = (): object => ({ platform: 'ios', provider: 'apns', pushToken: hex(32) });
/** What a browser would give, but for these keys. */
const browserWith = (keys: { p256dh?: string; auth?: string }): object => {
  const { endpoint, keys: right } = web.subscribe(vapidKey);
  return { platform: 'web', provider: 'webpush', pushToken: { endpoint, keys: { ...right, ...keys } } };
};
const browser = (): object => ({ platform: 'web', provider: 'webpush', pushToken: web.subscribe(vapidKey) });

async function register(user: TestUser, body: object, deviceId: string = randomUUID()): Promise<Device> {
  return user.rest.want(200, DeviceSchema, 'PUT', `/v1/devices/${deviceId}`, body);
}

describe('devices', () => {
  let ada: TestUser;
  let bob: TestUser;
  beforeAll(async () => {
    [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
  });

  it('are kept with their tokens, listed page by page, replaced and removed', async () => {
    const [first, second] = [await register(ada, android()), await register(ada, iphone())];
    const path = `/v1/devices/${first.deviceId}`;
    expect(await ada.rest.want(200, DeviceSchema, 'GET', path)).toEqual(first);
    const pages = await ada.rest.want(200, DeviceListSchema, 'GET', '/v1/devices?limit=1');
    const next = `/v1/devices?limit=1&cursor=${encodeURIComponent(pages.nextCursor ?? '')}`;
    const rest = await ada.rest.want(200, DeviceListSchema, 'GET', next);
    const ids = [...pages.items, ...rest.items].map(({ deviceId }) => deviceId);
    expect(ids).toEqual([first.deviceId, second.deviceId].toSorted());
    expect(rest.nextCursor).toBeNull();
    expect(await bob.rest.refusal('GET', next)).toContain('400 validation_failed cursor');

    const replaced = await register(ada, browser(), first.deviceId);
    expect(replaced).toMatchObject({ platform: 'web', provider: 'webpush', createdAt: first.createdAt });
    expect((await ada.rest.call('DELETE', path)).status).toBe(204);
    expect(await ada.rest.refusal('GET', path)).toBe('404 not_found');
    expect(await ada.rest.refusal('DELETE', path)).toBe('404 not_found');
  });

  it('are nobody else’s, and a token is that of whoever registered it last', async () => {
    const body = android();
    const { deviceId } = await register(ada, body);
    const path = `/v1/devices/${deviceId}`;
    expect(await bob.rest.refusal('GET', path)).toBe('404 not_found');
    expect(await bob.rest.refusal('DELETE', path)).toBe('404 not_found');
    await register(bob, body);
    expect(await ada.rest.refusal('GET', path)).toBe('404 not_found');
  });

  it('are forgotten when somebody signs out on them, and not before the last session there ends', async () => {
    const { deviceId } = await register(bob, android());
    const logIn = async (): Promise<Session> => {
      const body = { username: bob.username, password: PASSWORD, deviceId };
      return new RestClient(app.url).want(200, SessionSchema, 'POST', '/v1/auth/login', body);
    };
    const logOut = ({ accessToken, refreshToken }: Session): Promise<void> =>
      new RestClient(app.url, accessToken).wantEmpty(204, 'POST', '/v1/auth/logout', { refreshToken });
    const [first, second] = [await logIn(), await logIn()];
    await logOut(first);
    expect((await bob.rest.call('GET', `/v1/devices/${deviceId}`)).status).toBe(200);
    await logOut(second);
    expect(await bob.rest.refusal('GET', `/v1/devices/${deviceId}`)).toBe('404 not_found');
  });

  it.each([
    ['an unknown provider', 'provider:', { platform: 'ios', provider: 'pigeon', pushToken: 'x' }],
    [
      'a provider of another platform',
      'platform:invalid_value',
      { platform: 'android', provider: 'apns', pushToken: hex(32) },
    ],
    ['no token', 'pushToken:required', { platform: 'android', provider: 'fcm' }],
    [
      'a token that is none of APNs',
      'pushToken:invalid_format',
      { platform: 'ios', provider: 'apns', pushToken: 'not hexadecimal' },
    ],
    [
      'a token of 5,000 characters',
      'pushToken:too_long',
      { platform: 'android', provider: 'fcm', pushToken: 'x'.repeat(5_000) },
    ],
    [
      'a subscription as text',
      'pushToken:invalid_type',
      { platform: 'web', provider: 'webpush', pushToken: 'https://push.example.com' },
    ],
    [
      'a field too many',
      'userId:unknown_field',
      { platform: 'android', provider: 'fcm', pushToken: 'x', userId: randomUUID() },
    ],
    [
      'an endpoint in clear',
      'pushToken.endpoint:invalid_value',
      {
        platform: 'web',
        provider: 'webpush',
        pushToken: {
          endpoint: 'http://push.example.com/1',
          keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
        },
      },
    ],
  ])('are refused with %s', async (_what, problem, body) => {
    const refusal = await ada.rest.refusal('PUT', `/v1/devices/${randomUUID()}`, body);
    expect(refusal).toContain(`400 validation_failed ${problem}`);
  });

  it.each([
    ['a key that is no point of the curve', 'p256dh', `B${'A'.repeat(86)}`],
    ['a key that is too short', 'p256dh', `B${'A'.repeat(80)}`],
    ['a secret of 15 bytes', 'auth', 'A'.repeat(20)],
    ['a secret of 17 bytes', 'auth', 'A'.repeat(23)],
  ])('are refused with %s', async (_what, field, value) => {
    const path = `/v1/devices/${randomUUID()}`;
    const refusal = await ada.rest.refusal('PUT', path, browserWith({ [field]: value }));
    expect(refusal).toContain(`400 validation_failed pushToken.keys.${field}:invalid_format`);
    expect(await ada.rest.refusal('GET', path)).toBe('404 not_found');
  });
});

describe('notifications', () => {
  let ada: TestUser;
  let bob: TestUser;
  let conversationId: string;
  beforeEach(async () => {
    for (const service of [apns, fcm, web]) {
      service.behave({ is: 'accepts' });
      service.arrived.length = 0;
    }
    [ada, bob] = (await app.someUsers('Ada', 'Bob')) as [TestUser, TestUser];
    ({ conversationId } = await ada.group([bob], 'Engine room'));
  });
  const of = (service: PushService) => service.arrived.filter((arrived) => arrived.conversationId === conversationId);

  it('reach each device of a member who is not connected, with text, badge and one place for a conversation', async () => {
    for (const body of [iphone(), android(), browser()]) await register(bob, body);
    await register(ada, android());
    await ada.send(conversationId, 'Grüße 🚀');
    const collapseId = conversationId.replaceAll('-', '');
    const told = { kind: 'message', title: 'Engine room', body: 'Ada: Grüße 🚀', badge: 1, collapseId, conversationId };
    for (const service of [apns, fcm, web]) await vi.waitFor(() => expect(of(service)).toEqual([told]), SOON);
    const { conversationId: direct } = await ada.direct(bob);
    await ada.send(direct, 'Psst');
    const said = { title: 'Ada', body: 'Psst', badge: 2 };
    await vi.waitFor(() => expect(fcm.arrived.at(-1)).toMatchObject({ ...said, conversationId: direct }), SOON);
  });

  it('are taken away everywhere when the message was read elsewhere', async () => {
    await register(bob, iphone());
    const { messageId } = await ada.send(conversationId, 'Read me');
    await vi.waitFor(() => expect(of(apns)).toHaveLength(1), SOON);
    await bob.read(conversationId, messageId);
    await vi.waitFor(() => expect(of(apns).at(-1)).toMatchObject({ kind: 'clear', title: null, badge: 0 }), SOON);
  });

  it('are taken away also where the message was deleted before its service had answered', async () => {
    await register(bob, android());
    await register(bob, browser());
    const answer = Promise.withResolvers<void>();
    fcm.hold = () => answer.promise;
    const { messageId } = await ada.send(conversationId, 'Not for you');
    for (const service of [fcm, web]) await vi.waitFor(() => expect(of(service)).toHaveLength(1), SOON);
    const path = `/v1/conversations/${conversationId}/messages/${messageId}`;
    expect((await ada.rest.call('DELETE', path)).status).toBeLessThan(300);
    await vi.waitFor(() => expect(of(web).at(-1)).toMatchObject({ kind: 'clear' }), SOON);
    fcm.hold = () => Promise.resolve();
    answer.resolve();
    await vi.waitFor(() => expect(of(fcm).at(-1)).toMatchObject({ kind: 'clear', title: null }), SOON);
  });

  it('show no text to who wants none, and none of what only clients can read', async () => {
    await register(bob, android());
    expect((await bob.rest.call('PATCH', '/v1/users/me', { body: { pushPreview: false } })).status).toBe(200);
    await ada.send(conversationId, 'Secret');
    await vi.waitFor(() => expect(of(fcm)).toMatchObject([{ body: 'Ada: New message' }]), SOON);
    expect((await bob.rest.call('PATCH', '/v1/users/me', { body: { pushPreview: true } })).status).toBe(200);
    await ada.send(conversationId, Buffer.from('cipher').toString('base64'), { contentType: 'encrypted' });
    await vi.waitFor(() => expect(of(fcm)).toHaveLength(2), SOON);
    expect(of(fcm).at(-1)).toMatchObject({ body: 'Ada: New message' });
  });

  it('do not come to who has muted the conversation, has left it, or sent the message', async () => {
    const [cat, dan] = (await app.someUsers('Cat', 'Dan')) as [TestUser, TestUser];
    await ada.members(conversationId, { add: [cat.userId, dan.userId] });
    for (const user of [ada, bob, cat, dan]) await register(user, android());
    const muted = { body: { mutedUntil: '2099-01-01T00:00:00.000Z' } };
    expect((await bob.rest.call('PUT', `/v1/conversations/${conversationId}/settings`, muted)).status).toBe(200);
    await ada.members(conversationId, { remove: [cat.userId] });
    await ada.send(conversationId, 'Only for Dan');
    await ada.send(conversationId, 'And this');
    await vi.waitFor(() => expect(of(fcm).at(-1)).toMatchObject({ body: 'Ada: And this' }), SOON);
    // Dan has one device, and what is told of a conversation replaces what was told before.
    expect(of(fcm).length).toBeLessThanOrEqual(2);
    expect(of(fcm).every(({ badge }) => badge > 0)).toBe(true);
  });

  it('come to a connected device only when it has acknowledged nothing for ten seconds', async () => {
    const [cat] = (await app.someUsers('Cat')) as [TestUser];
    await ada.members(conversationId, { add: [cat.userId] });
    await register(bob, iphone());
    await register(cat, android());
    const [, cats] = [await bob.connect(), await cat.connect()];
    // A connection of the last tenth of a second may not be known everywhere yet.
    const userIds = [bob.userId, cat.userId];
    const online = async (): Promise<void> => {
      const { json } = await ada.rest.call('POST', '/v1/presence/query', { body: { userIds } });
      expect(json).toMatchObject({ items: [{ status: 'online' }, { status: 'online' }] });
    };
    await vi.waitFor(online, SOON);
    const { messageId } = await ada.send(conversationId, 'Are you there?');
    const began = Date.now();
    await cats.ask('ack', { messageId, conversationId });
    await vi.waitFor(() => expect(of(apns)).toHaveLength(1), SOON);
    expect(Date.now() - began).toBeGreaterThan(8_000);
    expect(of(fcm)).toEqual([]);
  });

  it('are no longer sent to a token that is dead', async () => {
    const { deviceId } = await register(bob, android());
    fcm.behave({ is: 'says-gone' });
    await ada.send(conversationId, 'Anybody?');
    const gone = async (): Promise<void> =>
      expect(await bob.rest.refusal('GET', `/v1/devices/${deviceId}`)).toBe('404 not_found');
    await vi.waitFor(gone, SOON);
  });

  it('wait while their provider is down, delay nothing of the others, and come once when it is back', async () => {
    await register(bob, iphone());
    await register(bob, android());
    apns.behave({ is: 'fails', status: 503 });
    const before = apns.requests;
    await ada.send(conversationId, 'first');
    await vi.waitFor(() => expect(of(fcm)).toHaveLength(1), SOON);
    await vi.waitFor(() => expect(apns.requests).toBeGreaterThan(before), SOON);
    await ada.send(conversationId, 'second');
    await vi.waitFor(() => expect(of(fcm)).toHaveLength(2), SOON);
    expect(of(apns)).toEqual([]);
    apns.behave({ is: 'accepts' });
    await vi.waitFor(() => expect(of(apns)).toMatchObject([{ body: 'Ada: second', badge: 2 }]), SOON);
  });

  it('come for the message before, where the latest was deleted while their provider was down', async () => {
    await register(bob, iphone());
    apns.behave({ is: 'fails', status: 503 });
    const before = apns.requests;
    await ada.send(conversationId, 'first');
    const { messageId } = await ada.send(conversationId, 'second');
    await vi.waitFor(() => expect(apns.requests).toBeGreaterThan(before), SOON);
    const path = `/v1/conversations/${conversationId}/messages/${messageId}`;
    expect((await ada.rest.call('DELETE', path)).status).toBeLessThan(300);
    apns.behave({ is: 'accepts' });
    await vi.waitFor(() => expect(of(apns).at(-1)).toMatchObject({ kind: 'message', body: 'Ada: first' }), SOON);
  });

  it('survive a restart of the server while their provider is down', async () => {
    await register(bob, iphone());
    apns.behave({ is: 'hangs' });
    await ada.send(conversationId, 'Do not forget me');
    await app.restart();
    apns.behave({ is: 'accepts' });
    // What was under way when the server stopped is anybody's after its claim has run out.
    await vi.waitFor(() => expect(of(apns)).toMatchObject([{ body: 'Ada: Do not forget me' }]), {
      ...SOON,
      timeout: 90_000,
    });
  }, 120_000);
});
