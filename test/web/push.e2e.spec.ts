import type { Browser, BrowserContextOptions, Worker } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBuiltServer } from '../../scripts/browser/built-server.mjs';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { TestUser } from '../clients/test-user.js';
import { makeServerCertificates, type ServerCertificates } from '../push/push-service.js';
import { WebPushService } from '../push/web-push-service.js';
import { connectPushService, PushBrowser } from './push-browser.js';
import { Visitor } from './visitor.js';

const SWITCH = 'Notifications in this browser';
const ALLOWED: BrowserContextOptions = { permissions: ['notifications'] };

let browser: Browser;
let certificates: ServerCertificates;
let service: WebPushService;
let server: Awaited<ReturnType<typeof startBuiltServer>>;
let users: { ada: TestUser; ben: TestUser };
let conversationId: string;
beforeAll(async () => {
  browser = await openBrowser();
  certificates = await makeServerCertificates();
  service = await WebPushService.start(certificates);
  server = await startBuiltServer({ PUSH_CA_FILE: certificates.caFile, PUSH_PRIVATE_ENDPOINTS: 'allow' });
}, 120_000);
afterAll(async () => {
  await browser.close();
  await server.stop();
  await service.close();
  await certificates.remove();
});

beforeEach(async () => {
  users = {
    ada: await TestUser.signUp(server.url, 'Ada Lovelace'),
    ben: await TestUser.signUp(server.url, 'Ben Okafor'),
  };
  ({ conversationId } = await users.ada.direct(users.ben));
  service.contents.length = 0;
});
let visitor: Visitor | undefined;
afterEach(async () => {
  expect((await visitor?.leave()) ?? []).toEqual([]);
  visitor = undefined;
});

/** Ada at a browser, in her settings. */
async function inSettings(options: BrowserContextOptions, hasPushService = true): Promise<Visitor> {
  visitor = await Visitor.arrive(browser, { baseURL: server.url, ...options });
  if (hasPushService) await connectPushService(visitor, service);
  await visitor.logIn(users.ada);
  await visitor.page.getByRole('link', { name: 'Your profile and settings' }).click();
  return visitor;
}

async function turn(at: Visitor, on: boolean): Promise<void> {
  const toggle = at.page.getByRole('switch', { name: SWITCH, checked: !on });
  await toggle.click();
  await at.page.getByRole('switch', { name: SWITCH, checked: on }).waitFor();
}

const devices = async (): Promise<number> =>
  ((await users.ada.rest.call('GET', '/v1/devices')).json as { items: unknown[] }).items.length;
const workers = (at: Visitor): Promise<number> =>
  at.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);

/** The latest that the push service was given for the conversation of this test, once there is so much of it. */
async function pushed(count: number): Promise<string> {
  const ours = (): string[] => service.contents.filter((text) => text.includes(conversationId));
  await expect.poll(() => ours().length, { timeout: 30_000 }).toBe(count);
  return ours().at(-1) ?? '';
}

/** A browser that wants to be told, with no page of the chat open: one about the server is there to look through. */
async function closedBrowser(): Promise<{ at: Visitor; elsewhere: PushBrowser }> {
  const at = await inSettings(ALLOWED);
  await turn(at, true);
  await at.sees('You are told of new messages, even while Parley is closed.');
  const page = await at.context.newPage();
  await page.goto('/developers');
  await at.page.close();
  return { at, elsewhere: await PushBrowser.of(page) };
}

describe('notifications', () => {
  it('have no worker and no device before they are turned on, and none when they are turned off again', async () => {
    const at = await inSettings(ALLOWED);
    await at.sees('You see new messages when you look here.');
    expect(await workers(at)).toBe(0);
    await turn(at, true);
    await at.sees('You are told of new messages, even while Parley is closed.');
    expect([await workers(at), await devices()]).toEqual([1, 1]);
    await at.page.reload();
    await at.page.getByRole('switch', { name: SWITCH, checked: true }).waitFor();
    await turn(at, false);
    expect([await workers(at), await devices()]).toEqual([0, 0]);
  });

  it('are shown while no page is open, one for a conversation, and go when it is read elsewhere', async () => {
    const { elsewhere } = await closedBrowser();
    await users.ben.send(conversationId, 'Are you there?');
    const first = await pushed(1);
    await elsewhere.deliverUntilShown(first, 'Are you there?');
    expect(await elsewhere.shown()).toEqual([{ title: 'Ben Okafor', body: 'Are you there?', icon: '/icon-192.png' }]);

    const { messageId } = await users.ben.send(conversationId, 'It is urgent');
    await elsewhere.deliverUntilShown(await pushed(2), 'It is urgent');
    // Services bring what they are given in any order.
    await elsewhere.deliver(first);
    await elsewhere.deliver(JSON.stringify({ ...JSON.parse(first), type: 'clear' }));
    await elsewhere.deliver('{"type":"something else"}');

    await users.ada.read(conversationId, messageId);
    const clear = await pushed(3);
    expect((await elsewhere.shown()).map(({ body }) => body)).toEqual(['It is urgent']);
    await elsewhere.deliver(clear);
    await expect.poll(() => elsewhere.shown()).toEqual([]);
    expect(elsewhere.faults).toEqual([]);
  });

  it('show no more than the user wants of a message', async () => {
    expect((await users.ada.rest.call('PATCH', '/v1/users/me', { body: { pushPreview: false } })).status).toBe(200);
    const { elsewhere } = await closedBrowser();
    await users.ben.send(conversationId, 'a secret');
    await elsewhere.deliverUntilShown(await pushed(1), 'New message');
  });

  it('lead to the conversation: in a page that is open, else in a new one', async () => {
    const { at, elsewhere } = await closedBrowser();
    await users.ben.send(conversationId, 'Are you there?');
    await elsewhere.deliverUntilShown(await pushed(1), 'Are you there?');
    const [worker] = at.context.serviceWorkers();
    if (!worker) throw new Error('There is no worker');
    expect(await clickOn(worker)).toEqual([`/c/${conversationId}`]);
    await expect.poll(() => elsewhere.shown()).toEqual([]);

    const page = await at.context.newPage();
    await page.goto('/');
    await page.getByRole('heading', { name: 'Chats' }).waitFor();
    await elsewhere.deliverUntilShown(await pushed(1), 'Are you there?');
    expect(await clickOn(worker)).toEqual([]);
    await page.waitForURL(`**/c/${conversationId}`);
    await page.getByRole('main', { name: 'Ben Okafor' }).waitFor();
  });

  it('are shown by an open page that nobody looks at, and taken away by it when they are read', async () => {
    const at = await inSettings(ALLOWED);
    await turn(at, true);
    await at.page.getByRole('button', { name: 'Close' }).click();
    const here = await PushBrowser.of(at.page);
    await users.ben.send(conversationId, 'Over here');
    await expect.poll(async () => (await here.shown()).map(({ body }) => body)).toEqual(['Over here']);
    await at.open('Ben Okafor');
    await expect.poll(() => here.shown()).toEqual([]);
  });

  it('end with the session, and whoever comes next has none', async () => {
    const at = await inSettings(ALLOWED);
    await turn(at, true);
    await at.page.getByRole('button', { name: 'Log out' }).click();
    await at.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await expect.poll(devices).toBe(0);
    await expect.poll(() => workers(at)).toBe(0);
    await at.logIn(users.ben);
    await at.page.goto('/settings');
    await at.page.getByRole('switch', { name: SWITCH, checked: false }).waitFor();
  });

  it('say so where the browser has no push service: then an open page tells', async () => {
    const at = await inSettings(ALLOWED, false);
    await turn(at, true);
    await at.sees(
      'You are told of new messages while Parley is open. This browser cannot reach you when it is closed.',
    );
    expect(await devices()).toBe(0);
    // Chromium notes that its private windows have none.
    expect(at.complaints.splice(0).filter((text) => !/Push API in incognito/.test(text))).toEqual([]);
  });

  it('say what to do where the browser blocks them', async () => {
    const at = await inSettings({ permissions: [] });
    await at.sees('This browser blocks notifications from Parley. Allow them in its settings for this site first.');
    await at.page.getByRole('switch', { name: SWITCH }).click();
    await at.page.getByRole('switch', { name: SWITCH, checked: false }).waitFor();
    expect([await workers(at), await devices()]).toEqual([0, 0]);
  });
});

/**
 * A click as the worker hears of it. The browser does not take it for one of a person, and so opens no window: this
 * gives the addresses that the worker asked for.
 */
function clickOn(worker: Worker): Promise<string[]> {
  return worker.evaluate(async () => {
    const scope = globalThis as unknown as {
      registration: { getNotifications(): Promise<object[]> };
      clients: { openWindow(url: string): Promise<null> };
      NotificationEvent: new (type: string, init: object) => Event;
      dispatchEvent(event: Event): boolean;
    };
    const [notification] = await scope.registration.getNotifications();
    const opened: string[] = [];
    scope.clients.openWindow = async (url) => {
      opened.push(url);
      return null;
    };
    let work: Promise<unknown> = Promise.resolve();
    const event = new scope.NotificationEvent('notificationclick', { notification });
    Object.defineProperty(event, 'waitUntil', { value: (promise: Promise<unknown>) => (work = promise) });
    scope.dispatchEvent(event);
    await work;
    return opened;
  });
}
