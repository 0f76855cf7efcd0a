import { pushContentOf, type PushContent } from './push-content.js';

declare const self: ServiceWorkerGlobalScope;

/** Not every browser takes the SVG here. */
const ICON = '/icon-192.png';

/** What a shown notification knows of itself. */
interface Shown {
  readonly conversationId?: string;
  readonly seq?: number;
}

/** A page asks for nothing through this worker, so a new version may take over while old pages are open. */
self.addEventListener('install', () => void self.skipWaiting());
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('push', (event) => {
  const content = pushContentOf(event.data?.text() ?? '');
  if (content) event.waitUntil(take(content));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open((event.notification.data as Shown | null)?.conversationId));
});

/** The browser has made another subscription: pages that are open tell the server, others do when they are opened. */
self.addEventListener('pushsubscriptionchange', (event) => {
  (event as ExtendableEvent).waitUntil(tellPages({ type: 'subscription-changed' }));
});

async function take({ type, conversationId, tag, seq, title, body, badge }: PushContent): Promise<void> {
  const shown = await self.registration.getNotifications({ tag });
  const isNewer = ({ data }: Notification): boolean => ((data as Shown | null)?.seq ?? 0) > seq;
  // Services bring what they are given in any order.
  if (type === 'clear') for (const notification of shown) if (!isNewer(notification)) notification.close();
  if (type === 'message' && !shown.some(isNewer)) {
    const data: Shown = { conversationId, seq };
    // A second message replaces the first one, and is heard as well.
    const more = { renotify: shown.length > 0 };
    await self.registration.showNotification(title, { body, tag, icon: ICON, data, ...more });
  }
  await showBadge(badge);
}

async function showBadge(count: number): Promise<void> {
  if (!('setAppBadge' in self.navigator)) return;
  // Only installed applications have one.
  await (count > 0 ? self.navigator.setAppBadge(count) : self.navigator.clearAppBadge()).catch(() => undefined);
}

/** In a page that is there, rather than in one more. */
async function open(conversationId: string | undefined): Promise<void> {
  const pages = await pagesOfParley();
  const page = pages.find(({ focused }) => focused) ?? pages.find(isSeen) ?? pages[0];
  if (!page) {
    await self.clients.openWindow(conversationId === undefined ? '/' : `/c/${conversationId}`);
    return;
  }
  if (conversationId !== undefined) page.postMessage({ type: 'open', conversationId });
  // Refused where the browser does not take this for a click.
  await page.focus().catch(() => undefined);
}

const isSeen = ({ visibilityState }: WindowClient): boolean => visibilityState === 'visible';

async function tellPages(news: object): Promise<void> {
  for (const page of await pagesOfParley()) page.postMessage(news);
}

/** Without the pages about this server, which know nothing of chats. */
async function pagesOfParley(): Promise<WindowClient[]> {
  const windows = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  return windows.filter(({ url }) => /^\/(c\/.*|login|signup|settings)?$/.test(new URL(url).pathname));
}
