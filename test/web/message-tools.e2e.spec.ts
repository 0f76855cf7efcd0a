import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import type { TestUser } from '../clients/test-user.js';
import { signUp, Visitor } from './visitor.js';

const LONG = 'A message that takes all the width there is for it, and then some more of the next line. '.repeat(2);
const TALL = Array.from({ length: 90 }, (_, line) => `line ${line + 1}`).join('\n');

let browser: Browser;
let ada: TestUser;
let ben: TestUser;
beforeAll(async () => {
  browser = await openBrowser();
  [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
});
afterAll(() => browser.close());

/** A group of its own for each test, with what has been said in it. */
async function group(name: string, ...texts: (readonly [TestUser, string])[]): Promise<string> {
  const { conversationId } = await ada.group([ben], name);
  for (const [author, text] of texts) await author.send(conversationId, text);
  return conversationId;
}

/** What has the focus: the text of its message, else its name. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (element?.tagName === 'ARTICLE') return element.querySelector('.bubble-text')?.textContent ?? '';
    return element?.getAttribute('aria-label') ?? element?.tagName ?? '';
  });

describe('by the keyboard alone', () => {
  it('every message is reached, and what one can do with it', async () => {
    await group('Keys', [ada, 'one'], [ben, 'two'], [ada, 'three']);
    const visitor = await Visitor.loggedIn(browser, ada);
    const { page } = visitor;
    await visitor.open('Keys');
    await visitor.message('three').waitFor();
    const press = async (key: string, then: string): Promise<void> => {
      await page.keyboard.press(key);
      await expect.poll(() => focused(page), { message: `after ${key}` }).toBe(then);
    };
    await page.getByRole('button', { name: 'About this conversation' }).focus();
    await press('Tab', 'three');
    await press('ArrowUp', 'two');
    await press('Home', 'one');
    await press('End', 'three');
    await press('Tab', 'React');
    await press('Shift+Tab', 'three');
    await press('ArrowUp', 'two');
    await press('Shift+Tab', 'About this conversation');
    await press('Tab', 'two');
    // There and back as fast as keys can come.
    for (let round = 0; round < 10; round++) {
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Tab');
      await expect.poll(() => focused(page), { message: `round ${round}` }).toBe('two');
    }
    expect(await visitor.leave()).toEqual([]);
  });

  it('a dialog that a message opened gives the focus back to it', async () => {
    await group('Dialogs', [ada, 'to be looked at']);
    const visitor = await Visitor.loggedIn(browser, ada);
    await visitor.open('Dialogs');
    for (const [entry, close] of [
      ['Seen by', 'Close'],
      ['Delete', 'Cancel'],
    ] as const) {
      await visitor.choose('to be looked at', entry);
      await visitor.page.getByRole('dialog').getByRole('button', { name: close }).click();
      await visitor.page.getByRole('dialog').waitFor({ state: 'detached' });
      expect(await focused(visitor.page), entry).toBe('to be looked at');
    }
    expect(await visitor.leave()).toEqual([]);
  });
});

describe('the tools of a message', () => {
  it('are whole within the pane, however wide it is, with the details beside it too', async () => {
    await group('Wide', [ada, 'mine'], [ben, 'theirs'], [ada, `mine ${LONG}`], [ben, `theirs ${LONG}`]);
    const visitor = await Visitor.loggedIn(browser, ada);
    const { page } = visitor;
    await visitor.open('Wide');
    await page.locator('.timeline-scroller[aria-busy="false"]').waitFor();
    const messages = page.locator('article');
    const look = async (where: string): Promise<void> => {
      const pane = await page.locator('.timeline').boundingBox();
      for (const message of await messages.all()) {
        const tools = message.getByRole('toolbar');
        const reach = async (): Promise<number> => {
          await message.focus();
          return tools.count();
        };
        await expect.poll(reach).toBe(1);
        const box = await tools.boundingBox();
        if (!pane || !box) throw new Error('Neither may be out of sight');
        expect(box.x, where).toBeGreaterThanOrEqual(pane.x);
        expect(box.x + box.width, where).toBeLessThanOrEqual(pane.x + pane.width);
        expect(box.y, where).toBeGreaterThanOrEqual(pane.y);
      }
    };
    for (const width of [1280, 1110, 900, 768, 725, 390, 320]) {
      await page.setViewportSize({ width, height: 800 });
      await expect.poll(() => messages.count()).toBe(4);
      await look(`${width} px`);
    }
    for (const width of [1280, 1110]) {
      await page.setViewportSize({ width, height: 800 });
      const details = page.getByRole('complementary', { name: 'About this conversation' });
      if (!(await details.isVisible())) await page.getByRole('button', { name: 'About this conversation' }).click();
      await details.waitFor();
      await look(`${width} px with details`);
    }
    expect(await visitor.leave()).toEqual([]);
  });

  it('are on the screen with any part of a message that is taller than it', async () => {
    await group('Tall', [ben, TALL]);
    const visitor = await Visitor.loggedIn(browser, ada);
    const { page } = visitor;
    await visitor.open('Tall');
    await page.locator('.timeline-scroller[aria-busy="false"]').waitFor();
    const pane = await page.locator('.timeline').boundingBox();
    if (!pane) throw new Error('There is no timeline');
    for (const part of [1, 0.5, 0]) {
      await page.locator('.timeline-scroller').evaluate((scroller, at) => {
        scroller.scrollTop = at * (scroller.scrollHeight - scroller.clientHeight);
        scroller.querySelector('article')?.focus({ preventScroll: true });
      }, part);
      const isSeen = async (): Promise<boolean> => {
        const box = await page.getByRole('toolbar', { name: 'Message' }).boundingBox();
        return box !== null && box.y >= pane.y && box.y + box.height <= pane.y + pane.height;
      };
      await expect.poll(isSeen, { message: `at ${part}` }).toBe(true);
    }
    expect(await visitor.leave()).toEqual([]);
  });

  it('go with the finger: after a reaction, and when another message is touched', async () => {
    await group('Touch', [ben, 'first'], [ben, 'second']);
    const visitor = await Visitor.loggedIn(browser, ada, {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const { page } = visitor;
    await visitor.row('Touch').tap();
    const tools = page.getByRole('toolbar', { name: 'Message' });
    await visitor.message('first').locator('.bubble').tap();
    await tools.getByRole('button', { name: 'React' }).tap();
    await page.getByRole('button', { name: '🎉' }).tap();
    await visitor.message('first').getByRole('button', { name: '🎉 1: you' }).waitFor();
    await expect.poll(() => tools.count()).toBe(0);
    await visitor.message('first').locator('.bubble').tap();
    await tools.waitFor();
    await visitor.message('second').locator('.bubble').tap();
    await visitor.message('second').getByRole('toolbar').waitFor();
    expect(await tools.count()).toBe(1);
    expect(await visitor.leave()).toEqual([]);
  });
});
