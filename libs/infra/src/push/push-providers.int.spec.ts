import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  pushProviderContract,
  type PushProviderUnderTest,
} from '../../../domain/src/notifications/push-provider.port.contract.js';
import { PUSH_IN_FLIGHT_MAX, type PushNotification, type PushProvider, type PushResult } from '@parley/domain';
import {
  APNS_DEAD_TOKEN,
  APNS_KEY_ID,
  APNS_TEAM,
  APNS_TOPIC,
  ApnsService,
} from '../../../../test/push/apns-service.js';
import { FcmService } from '../../../../test/push/fcm-service.js';
import {
  makeServerCertificates,
  type PushService,
  type ServerCertificates,
} from '../../../../test/push/push-service.js';
import { WebPushService } from '../../../../test/push/web-push-service.js';
import { ApnsPushProvider } from './apns-push-provider.js';
import { FcmPushProvider } from './fcm-push-provider.js';
import { makeVapidPrivateKey, vapidKeysFrom, vapidKeysOf } from './vapid-keys.js';
import { WebPushProvider } from './web-push-provider.js';

const TEST = { answerMs: 500, breaker: { restMs: 100, failuresMax: 3 } };
const deviceToken = randomBytes(32).toString('hex');
const keys = vapidKeysOf(makeVapidPrivateKey());

const notification: PushNotification = {
  kind: 'message',
  title: 'Ada',
  body: 'Hello',
  badge: 1,
  collapseId: 'a'.repeat(32),
  conversationId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91',
  messageId: '764123456789012480',
  seq: 3,
  senderId: null,
  ttlSeconds: 60,
};

const apnsOf = (service: ApnsService, ca: string): Promise<ApnsPushProvider> => {
  const account = { key: service.signingKey, keyId: APNS_KEY_ID, teamId: APNS_TEAM, topic: APNS_TOPIC };
  return ApnsPushProvider.open({ url: service.url, ca: [ca], ...account, ...TEST });
};
const fcmOf = (service: FcmService, ca: string): Promise<FcmPushProvider> =>
  FcmPushProvider.open({ url: service.url, ca: [ca], account: service.account, ...TEST });
const webPushOf = (ca: string, arePrivateEndpointsAllowed = true, answerMs = TEST.answerMs): WebPushProvider => {
  const fixed = { keys, subject: 'mailto:ops@example.com', ca: [ca], ...TEST };
  return new WebPushProvider({ ...fixed, arePrivateEndpointsAllowed, answerMs });
};

async function underTest<Service extends PushService>(
  start: (certificates: ServerCertificates) => Promise<Service>,
  open: (service: Service, ca: string) => Promise<PushProvider>,
  tokenOf: (service: Service) => PushProviderUnderTest['token'],
): Promise<PushProviderUnderTest> {
  const certificates = await makeServerCertificates();
  const service = await start(certificates);
  const provider = await open(service, certificates.ca);
  return {
    provider,
    answerMs: TEST.answerMs,
    restMs: TEST.breaker.restMs,
    token: tokenOf(service),
    behave: (behaviour) => service.behave(behaviour),
    arrived: service.arrived,
    requests: () => service.requests,
    distrustful: () => open(service, certificates.strangerCa),
    close: async () => {
      await provider.close();
      await service.close();
      await certificates.remove();
    },
  };
}

pushProviderContract('APNs', () =>
  underTest(
    (made) => ApnsService.start(made),
    apnsOf,
    () => deviceToken,
  ),
);
pushProviderContract('FCM', () =>
  underTest(
    (made) => FcmService.start(made),
    fcmOf,
    () => 'registration:token',
  ),
);
pushProviderContract('Web Push', () =>
  underTest(
    (made) => WebPushService.start(made),
    async (_service, ca) => webPushOf(ca),
    (service) => service.subscribe(keys.publicKey),
  ),
);

describe('the providers', () => {
  let certificates: ServerCertificates;
  const closing: { close: () => Promise<void> }[] = [];
  beforeAll(async () => {
    certificates = await makeServerCertificates();
  });
  afterAll(async () => {
    for (const opened of closing.toReversed()) await opened.close();
    await certificates.remove();
  });
  const opened = <Part extends { close: () => Promise<void> }>(part: Part): Part => {
    closing.push(part);
    return part;
  };

  it('APNs: signs a token once, keeps one connection, and makes another when it is told to go away', async () => {
    const service = opened(await ApnsService.start(certificates));
    const provider = opened(await apnsOf(service, certificates.ca));
    for (let sent = 0; sent < 3; sent += 1)
      expect(await provider.send(notification, deviceToken)).toEqual({ is: 'sent' });
    expect([service.authorizations.size, service.connections]).toEqual([1, 1]);
    service.sayGoAway();
    await vi.waitFor(async () => expect(await provider.send(notification, deviceToken)).toEqual({ is: 'sent' }));
    expect([service.authorizations.size, service.connections]).toEqual([1, 2]);
    expect(service.headers).toMatchObject({
      'apns-push-type': 'alert',
      'apns-priority': '10',
      'apns-topic': APNS_TOPIC,
    });
    expect(await provider.send(notification, APNS_DEAD_TOKEN)).toEqual({ is: 'gone' });
  });

  it('APNs: keeps trying while its key is not accepted, since that says nothing of the device', async () => {
    const [service, stranger] = [await ApnsService.start(certificates), await ApnsService.start(certificates)].map(
      opened,
    ) as [ApnsService, ApnsService];
    const account = { key: stranger.signingKey, keyId: APNS_KEY_ID, teamId: APNS_TEAM, topic: APNS_TOPIC };
    const provider = opened(
      await ApnsPushProvider.open({ url: service.url, ca: [certificates.ca], ...account, ...TEST }),
    );
    expect(await provider.send(notification, deviceToken)).toEqual({
      is: 'failed',
      reason: '403 InvalidProviderToken',
    });
  });

  it('FCM: asks for one access token for all, and for another when that is refused', async () => {
    const service = opened(await FcmService.start(certificates));
    const provider = opened(await fcmOf(service, certificates.ca));
    await Promise.all(Array.from({ length: 5 }, () => provider.send(notification, 'token')));
    expect([service.tokensGiven, service.arrived.length]).toEqual([1, 5]);
    service.revokeAccess();
    expect(await provider.send(notification, 'token')).toMatchObject({ is: 'failed', reason: '401 UNAUTHENTICATED' });
    expect(await provider.send(notification, 'token')).toEqual({ is: 'sent' });
    expect(service.tokensGiven).toBe(2);
  });

  it('Web Push: one service that hangs takes neither the places nor the trust of another', async () => {
    const [dead, alive] = [await WebPushService.start(certificates), await WebPushService.start(certificates)].map(
      opened,
    ) as [WebPushService, WebPushService];
    const provider = opened(webPushOf(certificates.ca));
    dead.behave({ is: 'hangs' });
    const nowhere = dead.subscribe(keys.publicKey);
    const hanging = Array.from({ length: 40 }, () => provider.send(notification, nowhere));
    await vi.waitFor(() => expect(dead.requests).toBeGreaterThan(0));
    expect(await provider.send(notification, alive.subscribe(keys.publicKey))).toEqual({ is: 'sent' });
    const results = await Promise.all(hanging);
    expect(results.every(({ is }) => is === 'failed')).toBe(true);
    // Those that wait for their turn find the service left alone, but for as many as its trust takes to go.
    expect(dead.requests).toBeLessThanOrEqual(PUSH_IN_FLIGHT_MAX + TEST.breaker.failuresMax);
    expect(await provider.send(notification, alive.subscribe(keys.publicKey))).toEqual({ is: 'sent' });
  });

  it('Web Push: one service has some of the places, is asked for some of those at a time, and fails nothing while it is busy', async () => {
    const [slow, other] = [await WebPushService.start(certificates), await WebPushService.start(certificates)].map(
      opened,
    ) as [WebPushService, WebPushService];
    const provider = opened(webPushOf(certificates.ca, true, 20_000));
    const [there, elsewhere] = [slow.subscribe(keys.publicKey), other.subscribe(keys.publicKey)];
    const answer = Promise.withResolvers<void>();
    slow.hold = () => answer.promise;
    const sent: Promise<PushResult>[] = [];
    while (provider.busyMs(there) === 0) sent.push(provider.send(notification, there));
    expect(sent.length).toBe(2 * PUSH_IN_FLIGHT_MAX);
    expect(sent.length * 4).toBe(provider.inFlightMax);
    await vi.waitFor(() => expect(slow.requests).toBe(PUSH_IN_FLIGHT_MAX), { timeout: 10_000 });
    // One after the other, and none after more than a little.
    const line = Array.from({ length: 3_000 }, () => provider.busyMs(there));
    expect(line[0]).toBeLessThanOrEqual(300);
    expect(line[1_000]).toBeGreaterThan(2_000);
    expect(Math.max(...line)).toBeLessThanOrEqual(5_000);
    expect(provider.busyMs(elsewhere)).toBe(0);
    expect(await provider.send(notification, elsewhere)).toEqual({ is: 'sent' });
    answer.resolve();
    expect((await Promise.all(sent)).filter(({ is }) => is === 'sent')).toHaveLength(sent.length);
    expect(provider.busyMs(there)).toBe(0);
  });

  it('Web Push: calls nothing inside, whatever name it goes by, unless that is allowed', async () => {
    const service = opened(await WebPushService.start(certificates));
    const provider = opened(webPushOf(certificates.ca, false));
    const subscription = service.subscribe(keys.publicKey);
    expect(await provider.send(notification, subscription)).toEqual({ is: 'gone' });
    // A public name of a private address, as far as this machine's resolver goes.
    const endpoint = subscription.endpoint.replace('127.0.0.1', 'localhost.localdomain');
    expect(await provider.send(notification, { ...subscription, endpoint })).toMatchObject({ is: 'failed' });
    expect(service.requests).toBe(0);
    const broken = { endpoint: 'https://push.example.com/1', keys: { p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) } };
    expect(await provider.send(notification, broken)).toEqual({ is: 'gone' });
  });

  it('VAPID: a secret gives the same pair everywhere, and another secret another', () => {
    expect(vapidKeysFrom('a secret of the cluster')).toEqual(vapidKeysFrom('a secret of the cluster'));
    expect(vapidKeysFrom('a secret of the cluster').publicKey).not.toBe(vapidKeysFrom('another secret').publicKey);
    expect(Buffer.from(keys.publicKey, 'base64url')).toHaveLength(65);
  });
});
