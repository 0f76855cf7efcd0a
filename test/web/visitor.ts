import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { inject } from 'vitest';
import { PASSWORD, TestUser } from '../clients/test-user.js';

const WAIT_MS = 15_000;
const DESKTOP = { width: 1280, height: 800 };

/** What a network that was cut on purpose makes the browser say. */
const EXPECTED_OFFLINE = /net::ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|WebSocket connection to|net::ERR_ABORTED/;

/** Somebody at a browser of their own. Whatever the page complains of is kept, for the test to look at. */
export class Visitor {
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async arrive(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext({ viewport: DESKTOP, baseURL: inject('serverUrl'), ...options });
    context.setDefaultTimeout(WAIT_MS);
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        console.error(`policy violated: ${violatedDirective} ${blockedURI}`);
      });
    });
    const visitor = new Visitor(context, await context.newPage());
    visitor.listen(visitor.page);
    return visitor;
  }

  /** A visitor who is in the chat, and the same user for calls past the browser. */
  static async loggedIn(browser: Browser, user: TestUser, options: BrowserContextOptions = {}): Promise<Visitor> {
    const visitor = await Visitor.arrive(browser, options);
    await visitor.logIn(user);
    return visitor;
  }

  async logIn(user: TestUser): Promise<void> {
    await this.page.goto('/login');
    await this.page.getByLabel('User name').fill(user.username);
    await this.page.getByLabel('Password').fill(PASSWORD);
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.page.getByRole('heading', { name: 'Chats' }).waitFor();
  }

  private listen(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (message.type() === 'error' && !EXPECTED_OFFLINE.test(text)) this.complaints.push(text);
    });
  }

  row(title: string): Locator {
    return this.page.locator('.sidebar .row', { hasText: title });
  }

  async open(title: string): Promise<void> {
    await this.row(title).click();
    await this.page.getByRole('main', { name: title }).waitFor();
    await this.page.locator('.composer-text').waitFor();
  }

  async send(text: string): Promise<void> {
    await this.page.locator('.composer-text').fill(text);
    await this.page.keyboard.press('Enter');
    await this.message(text).waitFor();
  }

  message(text: string): Locator {
    return this.page.locator('article').filter({ has: this.page.locator('.bubble-text', { hasText: text }) });
  }

  /** The texts that are on the page, in their order. */
  texts(): Promise<string[]> {
    return this.page.locator('.bubble-text').allTextContents();
  }

  /** Chooses from the menu of a message. */
  async choose(text: string, entry: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: 'More' }).click();
    await this.page.getByRole('menuitem', { name: entry }).click();
  }

  /** What this browser keeps of the account, as text. */
  kept(): Promise<string> {
    return this.page.evaluate(async () => {
      const contentOf = (name: string): Promise<string> =>
        new Promise((done, fail) => {
          const opening = indexedDB.open(name);
          opening.onerror = () => fail(opening.error);
          opening.onsuccess = () => {
            const stores = [...opening.result.objectStoreNames];
            if (stores.length === 0) return done('');
            const all = opening.result
              .transaction(stores)
              .objectStore(stores[0] ?? '')
              .getAll();
            all.onsuccess = () => {
              opening.result.close();
              done(JSON.stringify(all.result));
            };
          };
        });
      const names = (await indexedDB.databases()).map(({ name }) => name ?? '');
      return (await Promise.all(names.map(contentOf))).join() + JSON.stringify(Object.entries(localStorage));
    });
  }

  async sees(text: string): Promise<void> {
    await this.page.getByText(text, { exact: true }).first().waitFor();
  }

  /** Leaves, and tells what the page complained of. */
  async leave(): Promise<string[]> {
    await this.context.close();
    return this.complaints;
  }
}

export function signUp(displayName: string): Promise<TestUser> {
  return TestUser.signUp(inject('serverUrl'), displayName);
}
