import type { ParleyClient } from '@parley/sdk';

/** Served from the root, so that it may show notifications for every page. Compared byte by byte at each start. */
const WORKER = '/service-worker.js';
const SUBSCRIBE_TIMEOUT_MS = 20_000;

/** The registration of our worker; undefined where there is none, and in browsers without. */
export async function pushRegistration(): Promise<ServiceWorkerRegistration | undefined> {
  if (!('serviceWorker' in navigator)) return undefined;
  return navigator.serviceWorker.getRegistration('/').catch(() => undefined);
}

/** Whether this browser is told of messages while no page is open. */
export async function isSubscribed(): Promise<boolean> {
  const registration = await pushRegistration();
  return (await registration?.pushManager?.getSubscription().catch(() => null)) != null;
}

/**
 * Registers the worker and this browser at the server; harmless when both are known already.
 * @returns false where the browser has no push service, or cannot reach it
 * @throws ParleyError what the server says to it
 */
export async function subscribe(client: ParleyClient): Promise<boolean> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window)) return false;
  const key = await client.push.vapidKey();
  const subscription = await within(SUBSCRIBE_TIMEOUT_MS, subscribed(key)).catch(() => null);
  const { endpoint, keys } = subscription?.toJSON() ?? {};
  const { p256dh, auth } = keys ?? {};
  if (endpoint === undefined || p256dh === undefined || auth === undefined) return false;
  const pushToken = { endpoint, keys: { p256dh, auth } };
  await client.push.register({ platform: 'web', provider: 'webpush', pushToken });
  return true;
}

async function subscribed(key: string): Promise<PushSubscription> {
  const registration = await navigator.serviceWorker.register(WORKER, { scope: '/', updateViaCache: 'none' });
  await navigator.serviceWorker.ready;
  const known = await registration.pushManager.getSubscription();
  if (known && isFor(known, key)) return known;
  // The server's key has changed: what was made for another one is of no use.
  await known?.unsubscribe();
  return registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** The browser asks a service of its vendor, and does not say when it gives up. */
async function within<Result>(timeoutMs: number, work: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_done, fail) => {
    timer = setTimeout(() => fail(new Error('The push service does not answer')), timeoutMs);
  });
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}

function isFor({ options }: PushSubscription, key: string): boolean {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '') === key.replaceAll('=', '');
}

/** Takes everything of it out of this browser; the server is told by whoever calls this. */
export async function unsubscribe(): Promise<void> {
  const registration = await pushRegistration();
  if (!registration) return;
  for (const notification of await registration.getNotifications()) notification.close();
  const subscription = await registration.pushManager?.getSubscription().catch(() => null);
  await subscription?.unsubscribe().catch(() => false);
  await registration.unregister();
}
