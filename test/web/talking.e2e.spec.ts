import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { freshName, PASSWORD, type TestUser } from '../clients/test-user.js';
import { signUp, Visitor } from './visitor.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Two people with a direct chat, each at a browser, with it open. */
async function pair(): Promise<{ ada: Visitor; ben: Visitor; users: { ada: TestUser; ben: TestUser } }> {
  const users = { ada: await signUp('Ada Lovelace'), ben: await signUp('Ben Okafor') };
  await users.ada.direct(users.ben);
  const [ada, ben] = [await Visitor.loggedIn(browser, users.ada), await Visitor.loggedIn(browser, users.ben)];
  await ada.open('Ben Okafor');
  await ben.open('Ada Lovelace');
  return { ada, ben, users };
}

describe('a newcomer', () => {
  it('signs up, finds somebody and writes the first message', async () => {
    const ben = await signUp(`Ben ${freshName()}`);
    const visitor = await Visitor.arrive(browser);
    const { page } = visitor;
    await page.goto('/');
    await page.getByLabel('Your name').fill('Ada Lovelace');
    await page.getByLabel('User name').fill(freshName('ada'));
    await page.getByLabel('Password').fill('correct horse battery');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await visitor.sees('Say hello to somebody');
    await page.getByRole('button', { name: 'New chat' }).last().click();
    await page.getByRole('searchbox', { name: 'Search people by name' }).fill(ben.username);
    await page.getByRole('checkbox', { name: new RegExp(ben.session.user.displayName) }).check();
    await page.getByRole('button', { name: 'Start chat' }).click();
    await visitor.send('Hello Ben');
    await visitor.message('Hello Ben').getByTitle('Sent').waitFor();
    expect((await ben.sync()).conversations[0]?.conversation.lastMessage?.preview).toBe('Hello Ben');
    expect(await visitor.leave()).toEqual([]);
  });

  it('is told what is wrong, in words, where it is wrong', async () => {
    const taken = await signUp('Taken');
    const visitor = await Visitor.arrive(browser);
    const { page } = visitor;
    await page.goto('/signup');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await visitor.sees('Enter the name that others see.');
    expect(await page.getByLabel('Your name').evaluate((field) => field === document.activeElement)).toBe(true);
    await page.getByLabel('Your name').fill('Somebody');
    await page.getByLabel('User name').fill(taken.username);
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await visitor.sees('At least 8 characters.');
    await page.getByLabel('Password').fill('long enough');
    await page.getByRole('button', { name: 'Sign up' }).click();
    await visitor.sees('This user name is taken.');
    await expect
      .poll(() => page.getByLabel('User name').evaluate((field) => field === document.activeElement))
      .toBe(true);
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByLabel('User name').fill(taken.username);
    await page.getByLabel('Password').fill('not the password');
    await page.getByRole('button', { name: 'Log in' }).click();
    await visitor.sees('This user name and password do not belong together.');
    // The browser itself notes each refused request.
    const refusals = visitor.complaints.splice(0);
    expect(refusals.filter((text) => !/status of (409|401)/.test(text))).toEqual([]);
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('an address of a conversation', () => {
  it('leads there through the log-in', async () => {
    const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
    const { conversationId } = await ada.direct(ben);
    const visitor = await Visitor.arrive(browser);
    const { page } = visitor;
    await page.goto(`/c/${conversationId}`);
    await page.getByLabel('User name').fill(ada.username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('main', { name: 'Ben Okafor' }).waitFor();
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('two people', () => {
  it('see each other type, write and read', async () => {
    const { ada, ben } = await pair();
    await ada.page.locator('.composer-text').pressSequentially('Hel');
    await ben.page.locator('.pane-typing').waitFor();
    await ada.send('Hello Ben');
    await ben.message('Hello Ben').waitFor();
    await ada.message('Hello Ben').getByTitle('Read').waitFor();
    await ben.send('Hello Ada');
    await ada.message('Hello Ada').waitFor();
    expect(await ada.texts()).toEqual(['Hello Ben', 'Hello Ada']);
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });

  it('edit, delete, answer and react, and both see it', async () => {
    const { ada, ben } = await pair();
    await ada.send('A frist version');
    await ada.choose('A frist version', 'Edit');
    await ada.page.locator('.composer-text').fill('A first version');
    await ada.page.keyboard.press('Enter');
    await ben.message('A first version').getByText('edited').waitFor();

    await ben.message('A first version').hover();
    await ben.message('A first version').getByRole('button', { name: 'React' }).click();
    await ben.page.getByRole('button', { name: '🎉' }).click();
    await ada.message('A first version').getByRole('button', { name: '🎉 1: Ben Okafor' }).click();
    await ben.message('A first version').getByRole('button', { name: '🎉 2: you, Ada Lovelace' }).waitFor();

    await ben.message('A first version').hover();
    await ben.message('A first version').getByRole('button', { name: 'Reply' }).click();
    await ben.send('Looks good');
    await ada.message('Looks good').getByRole('button', { name: 'In reply to You A first version' }).waitFor();

    await ada.choose('A first version', 'Delete');
    await ada.page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await ben.sees('This message was deleted');
    expect(await ben.texts()).toEqual(['This message was deleted', 'Looks good']);
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });

  it('use the keyboard: up for the last message, Escape out of it, Shift+Enter for a line', async () => {
    const { ada, ben } = await pair();
    const field = ada.page.locator('.composer-text');
    await ada.send('one');
    await field.press('ArrowUp');
    await ada.sees('Edit message');
    expect(await field.inputValue()).toBe('one');
    // Escape and Enter that belong to an input method.
    await field.evaluate((element) => {
      for (const key of ['Escape', 'Enter']) {
        element.dispatchEvent(
          new KeyboardEvent('keydown', { key, isComposing: true, bubbles: true, cancelable: true }),
        );
      }
    });
    await ada.sees('Edit message');
    await ada.page.getByRole('main', { name: 'Ben Okafor' }).waitFor();
    await field.press('Escape');
    expect(await field.inputValue()).toBe('');
    await field.fill('before after');
    await field.evaluate((element: HTMLTextAreaElement) => element.setSelectionRange(7, 7));
    await ada.page.getByRole('button', { name: 'Emoji' }).click();
    await ada.page.getByRole('button', { name: '🎉' }).click();
    await ada.page.keyboard.type('!');
    expect(await field.inputValue()).toBe('before 🎉!after');
    await field.fill('');
    await field.pressSequentially('two');
    await field.press('Shift+Enter');
    await field.pressSequentially('lines');
    await field.press('Enter');
    await ben.message('two\nlines').waitFor();
    await ada.page.keyboard.press('Control+k');
    await ada.page.keyboard.type('Ben');
    await ada.page.keyboard.press('ArrowDown');
    const isFocused = (title: string) => ada.row(title).evaluate((row) => row === document.activeElement);
    await expect.poll(() => isFocused('Ben Okafor')).toBe(true);
    // People are searched for at the server: they are not there yet when the key is pressed.
    const stranger = await signUp(freshName('Zoe'));
    await ada.page.keyboard.press('Control+k');
    await ada.page.keyboard.type(stranger.session.user.displayName);
    await ada.page.keyboard.press('ArrowDown');
    await expect.poll(() => isFocused(stranger.username)).toBe(true);
    await ada.page.keyboard.press('Enter');
    await ada.page.getByRole('main', { name: stranger.session.user.displayName }).waitFor();
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });

  it('find with Enter what they searched for, and not what was listed before', async () => {
    const { ada, ben, users } = await pair();
    const { conversationId } = await users.ada.group([users.ben], 'Zebra crossing');
    await users.ben.send(conversationId, 'older');
    await ada.open('Zebra crossing');
    await ada.page.keyboard.press('Control+k');
    await ada.page.keyboard.type('Okafor');
    await ada.page.keyboard.press('Enter');
    await ada.page.getByRole('main', { name: 'Ben Okafor' }).waitFor();
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });

  it('find everything again after a reload, a draft too', async () => {
    const { ada, ben } = await pair();
    await ben.send('before');
    await ada.message('before').waitFor();
    await ada.page.locator('.composer-text').fill('half a thou');
    await ada.page.reload();
    await ada.message('before').waitFor();
    expect(await ada.page.locator('.composer-text').inputValue()).toBe('half a thou');
    await ben.send('after');
    await ada.message('after').waitFor();
    expect(await ada.texts()).toEqual(['before', 'after']);
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });
});

describe('the end of a timeline', () => {
  it('stays in sight when less room is left for it: by a reply, by a banner', async () => {
    const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
    const { conversationId } = await ada.direct(ben);
    for (let number = 1; number <= 30; number++) await ada.send(conversationId, `number ${number}`);
    const visitor = await Visitor.loggedIn(browser, ada);
    const { page } = visitor;
    await visitor.open('Ben Okafor');
    const scroller = page.locator('.timeline-scroller');
    await visitor.message('number 30').waitFor();
    await page.locator('.timeline-scroller[aria-busy="false"]').waitFor();
    const beyond = (): Promise<number> =>
      scroller.evaluate((element) => Math.round(element.scrollHeight - element.scrollTop - element.clientHeight));
    await expect.poll(beyond).toBeLessThanOrEqual(1);
    await visitor.message('number 30').hover();
    await visitor.message('number 30').getByRole('button', { name: 'Reply' }).click();
    await visitor.sees('Reply to yourself');
    await expect.poll(beyond).toBeLessThanOrEqual(1);
    await visitor.context.setOffline(true);
    await page.locator('.banner').waitFor();
    await expect.poll(beyond).toBeLessThanOrEqual(1);
    await visitor.context.setOffline(false);
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('a dialog', () => {
  it('begins with the focus where one types, and shows what went wrong', async () => {
    const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
    const visitor = await Visitor.loggedIn(browser, ada);
    const { page } = visitor;
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.type(ben.username);
    await page.getByRole('checkbox', { name: /Ben Okafor/ }).check();
    await visitor.context.setOffline(true);
    await page.getByRole('button', { name: 'Start chat' }).click();
    const toast = page.getByRole('dialog').locator('.toast');
    await toast.waitFor();
    expect(await toast.textContent()).toBe('The server cannot be reached. Check your connection and try again.');
    await page.getByRole('searchbox', { name: 'Search people by name' }).fill('Somebody else');
    await visitor.sees('People cannot be searched for now: the server cannot be reached.');
    await visitor.context.setOffline(false);
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('what people write', () => {
  it.each([
    '<script>document.title="broken"</script>',
    '<img src=x onerror="document.title=\'broken\'">',
    'javascript:document.title="broken"',
    '"><svg onload=document.title="broken">',
    '{{constructor.constructor("document.title=1")()}} ${7*7}',
    '&lt;b&gt;',
  ])('is shown as it was written: %s', async (text) => {
    const author = await signUp(`<b>${'x'}</b>`);
    const reader = await signUp('Reader');
    const { conversationId } = await author.group([reader], text.slice(0, 60));
    const { messageId } = await author.send(conversationId, text);
    await author.send(conversationId, `again: ${text}`, { replyToMessageId: messageId });
    const visitor = await Visitor.loggedIn(browser, reader);
    await visitor.row(text.slice(0, 60)).click();
    await visitor.page.locator('.quote-text').waitFor();
    expect(await visitor.texts()).toEqual([text, `again: ${text}`]);
    expect(await visitor.page.locator('.quote-text').textContent()).toBe(text);
    expect(await visitor.page.locator('.bubble').locator('script, img, svg[onload], b, a').count()).toBe(0);
    expect(await visitor.page.title()).toMatch(/Parley$/);
    expect(await visitor.leave()).toEqual([]);
  });

  it('has its web addresses as links that tell nobody where they were followed from', async () => {
    const author = await signUp('Author');
    const reader = await signUp('Reader');
    const { conversationId } = await author.direct(reader);
    await author.send(conversationId, 'See https://example.com/a_(b), please');
    const visitor = await Visitor.loggedIn(browser, reader);
    await visitor.open('Author');
    const link = visitor.page.locator('.bubble a');
    expect(await link.getAttribute('href')).toBe('https://example.com/a_(b)');
    expect(await link.getAttribute('rel')).toContain('noopener');
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('signing out', () => {
  it('takes everything of the account out of the browser', async () => {
    const { ada, ben } = await pair();
    await ada.send('a secret');
    await ada.page.locator('.composer-text').fill('half a secret');
    await ada.page.locator('.sidebar-me').click();
    await ada.page.getByRole('button', { name: 'Log out' }).click();
    await ada.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    await expect.poll(() => ada.kept()).not.toMatch(/secret|refresh/i);
    await ada.page.goto('/');
    await ada.page.getByRole('heading', { name: 'Create your account' }).waitFor();
    expect(await ada.leave()).toEqual([]);
    expect(await ben.leave()).toEqual([]);
  });
});
