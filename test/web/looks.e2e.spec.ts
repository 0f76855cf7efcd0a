import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import type { TestUser } from '../clients/test-user.js';
import { signUp, Visitor } from './visitor.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const SIZES = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
  'narrow phone': { width: 320, height: 640 },
};

let browser: Browser;
let ada: TestUser;
beforeAll(async () => {
  browser = await openBrowser();
  const [first, ben, chloe] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor'), await signUp('Chloé Martin')];
  ada = first;
  const { conversationId } = await ben.group([ada, chloe], 'Engine room');
  await ben.group([ada], 'A name so long that no list and no heading has room for all of it, whatever its width');
  const { messageId } = await ben.send(
    conversationId,
    'Is it hot? https://example.com/a/long/address/'.padEnd(120, 'x'),
  );
  await ada.send(conversationId, 'Very', { replyToMessageId: messageId });
  await chloe.rest.call(
    'PUT',
    `/v1/conversations/${conversationId}/messages/${messageId}/reactions/${encodeURIComponent('🔥')}`,
  );
  await chloe.send(conversationId, '🎉');
  const gone = await chloe.send(conversationId, 'oops');
  await chloe.rest.call('DELETE', `/v1/conversations/${conversationId}/messages/${gone.messageId}`);
  await ada.direct(ben);
});
afterAll(() => browser.close());

/** What axe finds serious or critical, in words. Its script goes past the page's policy, as a browser's extension does. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished)).catch(() => null),
  );
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: axe });
  const { result } = await session.send('Runtime.evaluate', {
    expression: 'axe.run().then((results) => JSON.stringify(results))',
    awaitPromise: true,
  });
  await session.detach();
  const { violations, passes } = JSON.parse(String(result.value)) as AxeResults;
  expect(passes.length, 'rules that were looked at').toBeGreaterThan(10);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`));
}

const overflowOf = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Each screen of the application: how one gets there from the list. */
const SCREENS: Record<string, (visitor: Visitor) => Promise<void>> = {
  'the list': async () => {},
  'an empty conversation': (visitor) => visitor.open('Ben Okafor'),
  'a conversation with its details': async (visitor) => {
    await visitor.open('Engine room');
    await visitor.message('Very').waitFor();
    await visitor.page.getByRole('button', { name: 'About this conversation' }).click();
    await visitor.page.getByRole('complementary', { name: 'About this conversation' }).waitFor();
  },
  'a conversation': async (visitor) => {
    await visitor.open('Engine room');
    await visitor.message('Very').hover();
    await visitor.message('Very').getByRole('button', { name: 'React' }).click();
    await visitor.page.locator('.emoji-picker').waitFor();
  },
  'a search': async (visitor) => {
    await visitor.page.getByRole('searchbox').fill('Ben');
    await visitor.page.getByRole('heading', { name: 'Conversations' }).waitFor();
  },
  'a new chat': async (visitor) => {
    await visitor.page.getByRole('button', { name: 'New chat' }).first().click();
    await visitor.page.getByRole('dialog').getByRole('searchbox').fill('Chl');
    await visitor.page.getByRole('dialog').getByText('Chloé Martin').first().waitFor();
  },
  'the settings': async (visitor) => {
    await visitor.page.locator('.sidebar-me').click();
    await visitor.page.getByLabel('Status').waitFor();
  },
};

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  describe.each(Object.entries(SIZES))('on a %s', (_size, viewport) => {
    it('every screen fits, and axe finds nothing serious on it', async () => {
      const visitor = await Visitor.arrive(browser, { colorScheme, viewport, reducedMotion: 'reduce' });
      const found: Record<string, unknown> = {};
      const fine: Record<string, unknown> = {};
      const look = async (screen: string, page: Page): Promise<void> => {
        found[screen] = { faults: await faultsOf(page), overflow: await overflowOf(page) };
        fine[screen] = { faults: [], overflow: 0 };
      };
      for (const path of ['/login', '/signup']) {
        await visitor.page.goto(path);
        await visitor.page.locator('form').waitFor();
        await look(path, visitor.page);
      }
      expect(await visitor.leave()).toEqual([]);
      const member = await Visitor.loggedIn(browser, ada, { colorScheme, viewport, reducedMotion: 'reduce' });
      for (const [screen, goThere] of Object.entries(SCREENS)) {
        await member.page.goto('/');
        await member.row('Engine room').waitFor();
        await goThere(member);
        await look(screen, member.page);
      }
      expect(await member.leave()).toEqual([]);
      expect(found).toEqual(fine);
    }, 120_000);
  });
});

it('the switch in the settings outlasts a reload, whatever the system says', async () => {
  const visitor = await Visitor.loggedIn(browser, ada, { colorScheme: 'light' });
  const background = (): Promise<string> =>
    visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await visitor.page.locator('.sidebar-me').click();
  await visitor.page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await background();
  expect(dark).not.toBe(light);
  await visitor.page.reload();
  expect(await background()).toBe(dark);
  expect(await visitor.leave()).toEqual([]);
});
