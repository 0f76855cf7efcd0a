import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { signUp, Visitor } from './visitor.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const OFFLINE = 'You are offline. What you write is sent as soon as there is a connection.';

it('shows that there is no connection, keeps what is written, and sends it in order when there is one again', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const { conversationId } = await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  await visitor.open('Ben Okafor');
  await visitor.send('online');
  await visitor.message('online').getByTitle('Sent').waitFor();

  await visitor.context.setOffline(true);
  await visitor.sees(OFFLINE);
  for (const text of ['first', 'second', 'third']) await visitor.send(text);
  await visitor.message('third').getByTitle('Sending').waitFor();
  await ben.send(conversationId, 'meanwhile');

  await visitor.context.setOffline(false);
  await visitor.message('third').getByTitle('Sent').waitFor();
  await visitor.page.getByText(OFFLINE).waitFor({ state: 'detached' });
  await visitor.message('meanwhile').waitFor();
  const stored = (await ben.history(conversationId)).items.toReversed().map(({ content }) => content);
  expect(stored).toEqual(['online', 'meanwhile', 'first', 'second', 'third']);
  expect(await visitor.texts()).toEqual(stored);
  expect(await visitor.leave()).toEqual([]);
});

it('keeps what was written offline over a reload', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const { conversationId } = await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  await visitor.open('Ben Okafor');
  await visitor.send('online');
  await visitor.message('online').getByTitle('Sent').waitFor();
  // The page itself comes from the server: only what it talks to is cut off.
  await visitor.context.setOffline(true);
  await visitor.send('from the tunnel');
  await visitor.message('from the tunnel').getByTitle('Sending').waitFor();
  await visitor.page.evaluate(() => {
    window.addEventListener('online', () => location.reload(), { once: true });
  });
  await visitor.context.setOffline(false);
  await visitor.page.waitForLoadState('load');
  await visitor
    .message('from the tunnel')
    .getByTitle(/Sent|Delivered/)
    .waitFor();
  const stored = (await ben.history(conversationId)).items.toReversed().map(({ content }) => content);
  expect(stored).toEqual(['online', 'from the tunnel']);
  expect(await visitor.leave()).toEqual([]);
});

it('shows what was refused with the reason, to be tried again or thrown away', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  await visitor.open('Ben Okafor');
  await ben.rest.call('PUT', `/v1/users/me/blocks/${ada.userId}`);
  await visitor.send('unwanted');
  await visitor.sees('Not sent. This person does not take messages from you.');
  await visitor.page.getByRole('button', { name: 'Discard' }).click();
  await visitor.message('unwanted').waitFor({ state: 'detached' });
  expect(await visitor.leave()).toEqual([]);
});

it('keeps what was written when an edit fails: offline, and of a message that was deleted meanwhile', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const { conversationId } = await ada.direct(ben);
  const { messageId } = await ada.send(conversationId, 'A frist version');
  const visitor = await Visitor.loggedIn(browser, ada);
  const { page } = visitor;
  await visitor.open('Ben Okafor');
  await visitor.choose('A frist version', 'Edit');
  const field = page.locator('.composer-text');
  const save = page.getByRole('button', { name: 'Save' });
  await field.fill('A first version');
  await visitor.context.setOffline(true);
  await field.press('Enter');
  await visitor.sees('The server cannot be reached. Check your connection and try again.');
  expect(await field.inputValue()).toBe('A first version');
  await visitor.context.setOffline(false);
  await expect.poll(() => save.isEnabled()).toBe(true);
  await ada.rest.call('DELETE', `/v1/conversations/${conversationId}/messages/${messageId}`);
  await visitor.sees('This message was deleted');
  await field.press('Enter');
  await page.locator('.toast').last().waitFor();
  await expect.poll(() => save.isEnabled()).toBe(true);
  expect(await field.inputValue()).toBe('A first version');
  await page.getByRole('button', { name: 'Cancel' }).click();
  expect(await field.inputValue()).toBe('');
  const refusals = visitor.complaints.splice(0);
  expect(refusals.filter((text) => !/status of (404|409)/.test(text))).toEqual([]);
  expect(await visitor.leave()).toEqual([]);
});

it('asks before a log-out that would lose what is unsent', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  const { page } = visitor;
  await visitor.open('Ben Okafor');
  await visitor.context.setOffline(true);
  await visitor.send('from the tunnel');
  await page.locator('.sidebar-me').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await visitor.sees('A message was not sent yet. It is lost when you log out.');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('dialog', { name: 'Profile and settings' }).getByRole('button', { name: 'Close' }).click();
  await visitor.message('from the tunnel').waitFor();
  await page.locator('.sidebar-me').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('button', { name: 'Log out all the same' }).click();
  await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
  await visitor.context.setOffline(false);
  expect(await visitor.leave()).toEqual([]);
});

it('asks to log in again when the session was ended elsewhere', async () => {
  const ada = await signUp('Ada Lovelace');
  const visitor = await Visitor.loggedIn(browser, ada);
  const refreshToken = await visitor.page.evaluate(
    () =>
      new Promise<string>((done, fail) => {
        const find = async (): Promise<void> => {
          const [{ name = '' } = {}] = await indexedDB.databases();
          const opening = indexedDB.open(name);
          opening.onerror = () => fail(opening.error);
          opening.onsuccess = () => {
            const [store = ''] = opening.result.objectStoreNames;
            const all = opening.result.transaction(store).objectStore(store).getAll();
            all.onsuccess = () => {
              const text = JSON.stringify(all.result);
              opening.result.close();
              done(/refreshToken\W+([\w.-]+)/.exec(text)?.[1] ?? '');
            };
          };
        };
        void find();
      }),
  );
  expect(refreshToken).not.toBe('');
  await ada.rest.call('POST', '/v1/auth/logout', { body: { refreshToken } });
  await visitor.sees('You were signed out here. Log in again to go on.');
  visitor.complaints.splice(0);
  expect(await visitor.leave()).toEqual([]);
});
