import type { CDPSession, Page } from 'playwright-core';
import { vi } from 'vitest';
import type { WebPushService } from '../push/web-push-service.js';
import type { Visitor } from './visitor.js';

export interface ShownNotification {
  readonly title: string;
  readonly body: string;
  readonly icon: string;
}

/**
 * Gives the pages of a visitor a push service: the one of the browser's vendor is not on this machine. All the rest is
 * the browser's own: permission, worker, notifications.
 */
export async function connectPushService(visitor: Visitor, service: WebPushService): Promise<void> {
  await visitor.context.exposeFunction('testSubscribe', (key: string) => service.subscribe(key));
  await visitor.context.addInitScript(() => {
    const kept = 'test.subscription';
    const bytesOf = (key: string): ArrayBuffer =>
      Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0)).buffer;
    const subscription = (text: string | null) => {
      if (text === null) return null;
      const { key, json } = JSON.parse(text) as { key: string; json: object };
      const unsubscribe = async () => localStorage.removeItem(kept);
      return { options: { applicationServerKey: bytesOf(key) }, toJSON: () => json, unsubscribe };
    };
    const manager = PushManager.prototype as unknown as Record<string, unknown>;
    manager['getSubscription'] = async () => subscription(localStorage.getItem(kept));
    manager['subscribe'] = async ({ applicationServerKey: key }: { applicationServerKey: string }) => {
      const { testSubscribe } = window as unknown as { testSubscribe: (key: string) => Promise<object> };
      localStorage.setItem(kept, JSON.stringify({ key, json: await testSubscribe(key) }));
      return subscription(localStorage.getItem(kept));
    };
  });
}

/** Brings pushes to the worker of a browser, and sees what it shows. */
export class PushBrowser {
  private constructor(
    private readonly page: Page,
    private readonly session: CDPSession,
    private readonly registrationId: string,
  ) {}

  /** @param page any page of the server, in the browser whose worker is meant */
  static async of(page: Page): Promise<PushBrowser> {
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    const registrationId = new Promise<string>((done) => {
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const found = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${origin}/` && !isDeleted);
        if (found) done(found.registrationId);
      });
    });
    await session.send('ServiceWorker.enable');
    const browser = new PushBrowser(page, session, await registrationId);
    session.on('ServiceWorker.workerErrorReported', ({ errorMessage }) =>
      browser.faults.push(errorMessage.errorMessage),
    );
    return browser;
  }

  /** What went wrong in workers. */
  readonly faults: string[] = [];

  /**
   * Brings a push until its text is what is shown, as services do until a browser has taken it: on a busy machine,
   * Chromium was seen to lose the first one of a new profile, or to forget that it shows it.
   */
  async deliverUntilShown(data: string, body: string): Promise<void> {
    const isShown = async (): Promise<void> => {
      const bodies = (await this.shown()).map((each) => each.body);
      if (bodies.join('\n') !== body) throw new Error(`Instead of '${body}' is shown: '${bodies.join("', '")}'`);
    };
    for (let tries = 3; ; tries -= 1) {
      await this.deliver(data);
      try {
        await vi.waitFor(isShown, { timeout: 5_000, interval: 100 });
        return;
      } catch (error) {
        if (tries === 1) throw error;
      }
    }
  }

  async deliver(data: string): Promise<void> {
    const { origin } = new URL(this.page.url());
    await this.session.send('ServiceWorker.deliverPushMessage', { origin, registrationId: this.registrationId, data });
  }

  shown(): Promise<ShownNotification[]> {
    return this.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration('/');
      const all = (await registration?.getNotifications()) ?? [];
      return all.map(({ title, body, icon }) => ({ title, body, icon: new URL(icon).pathname }));
    });
  }
}
