import { crc32 } from 'node:zlib';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { LatePictures } from './late-pictures.js';
import { signUp, Visitor } from './visitor.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const picture = (): Promise<Buffer> =>
  sharp({ create: { width: 640, height: 400, channels: 3, background: '#2a7d6f' } })
    .png()
    .toBuffer();

/** The same picture, which says that it is 30,000 pixels wide and high. */
function asHuge(png: Buffer): Buffer {
  const huge = Buffer.from(png);
  huge.writeUInt32BE(30_000, 16);
  huge.writeUInt32BE(30_000, 20);
  huge.writeUInt32BE(crc32(huge.subarray(12, 29)), 29);
  return huge;
}

it('pictures and files are attached, seen as they upload, sent with a text, and opened by the other', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const [adas, bens] = [await Visitor.loggedIn(browser, ada), await Visitor.loggedIn(browser, ben)];
  await adas.open('Ben Okafor');
  await bens.open('Ada Lovelace');
  await adas.page.locator('input[type=file]').setInputFiles([
    { name: 'harbour.png', mimeType: 'image/png', buffer: await picture() },
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Bring the map.\n') },
  ]);
  await adas.page.getByRole('list', { name: 'Attached files' }).getByText('15 B').waitFor();
  await expect.poll(() => adas.page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
  await adas.send('Here it is');

  const message = bens.message('Here it is');
  const shown = message.getByRole('button', { name: 'Picture harbour.png' }).locator('img');
  await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  const room = await shown.boundingBox();
  expect((room?.width ?? 0) / (room?.height ?? 1)).toBeCloseTo(1.6, 1);
  const file = message.getByRole('link', { name: /notes\.txt/ });
  const [download] = await Promise.all([bens.page.waitForEvent('download'), file.click()]);
  expect(download.suggestedFilename()).toBe('notes.txt');

  await message.getByRole('button', { name: 'Picture harbour.png' }).click();
  const large = bens.page.getByRole('dialog').getByRole('img', { name: 'harbour.png' });
  await expect.poll(() => large.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(640);
  await bens.page.keyboard.press('Escape');
  await bens.page.getByRole('dialog').waitFor({ state: 'detached' });
  expect(await adas.leave()).toEqual([]);
  expect(await bens.leave()).toEqual([]);
});

it('a picture whose smaller one is made late is shown when it is there', async () => {
  const refused = 3;
  const late = await LatePictures.of(inject('serverUrl'), refused);
  onTestFinished(() => late.close());
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada, { baseURL: late.url });
  await visitor.open('Ben Okafor');
  const buffer = await picture();
  await visitor.page.locator('input[type=file]').setInputFiles({ name: 'late.png', mimeType: 'image/png', buffer });
  await expect.poll(() => visitor.page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
  await visitor.send('Not yet');
  const shown = visitor.message('Not yet').getByRole('button', { name: 'Picture late.png' }).locator('img');
  // After 1, 3 and 8 seconds, and what the browser takes.
  const width = () => shown.evaluate((image: HTMLImageElement) => image.naturalWidth);
  await expect.poll(width, { timeout: 40_000 }).toBe(320);
  expect(late.asked.length).toBeGreaterThan(refused);
  expect((await visitor.leave()).filter((text) => !/status of 503/.test(text))).toEqual([]);
});

it('a very tall picture stays in its bounds, and one of oneself in its circle, as a small one', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  const { page } = visitor;
  const tall = (width: number, height: number): Promise<Buffer> =>
    sharp({ create: { width, height, channels: 3, background: '#a63a56' } })
      .png()
      .toBuffer();
  await visitor.open('Ben Okafor');
  await page
    .locator('.composer input[type=file]')
    .setInputFiles([{ name: 'tower.png', mimeType: 'image/png', buffer: await tall(200, 3_000) }]);
  await expect.poll(() => page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
  await visitor.send('A tower');
  const room = await page.getByRole('button', { name: 'Picture tower.png' }).boundingBox();
  expect([Math.round(room?.width ?? 0), Math.round(room?.height ?? 0)]).toEqual([96, 320]);

  await page.locator('.sidebar-me').click();
  await page
    .getByLabel('Your picture')
    .setInputFiles([{ name: 'me.png', mimeType: 'image/png', buffer: await tall(600, 1_000) }]);
  const face = page.locator('.settings-me img');
  await expect.poll(() => face.evaluate((image: HTMLImageElement) => image.naturalHeight)).toBe(320);
  const circle = await face.boundingBox();
  expect([circle?.width, circle?.height]).toEqual([84, 84]);
  // The settings lead back to what was open.
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('main', { name: 'Ben Okafor' }).waitFor();
  expect(await visitor.leave()).toEqual([]);
});

it('a file that is pasted or dropped is attached too, and can be taken away again', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  await visitor.open('Ben Okafor');
  for (const kind of ['paste', 'drop'] as const) {
    await visitor.page.evaluate((event) => {
      const data = new DataTransfer();
      data.items.add(new File(['text'], `${event}.txt`, { type: 'text/plain' }));
      const field = document.querySelector('.composer-text');
      field?.dispatchEvent(
        event === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
          : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }),
      );
    }, kind);
    await visitor.page.getByRole('button', { name: `Remove ${kind}.txt` }).click();
    await visitor.page.getByRole('list', { name: 'Attached files' }).waitFor({ state: 'detached' });
  }
  expect(await visitor.leave()).toEqual([]);
});

it('a file that the server refuses says why, and the message is not sent without it', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada);
  await visitor.open('Ben Okafor');
  await visitor.page
    .locator('input[type=file]')
    .setInputFiles([{ name: 'huge.png', mimeType: 'image/png', buffer: asHuge(await picture()) }]);
  await visitor.page.getByRole('alert').getByText('This picture has too many pixels.').waitFor();
  expect(await visitor.page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
  await visitor.page.locator('.composer-text').fill('with a picture');
  expect(await visitor.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
  await visitor.page.getByRole('button', { name: 'Remove huge.png' }).click();
  expect(await visitor.page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
  expect((await visitor.leave()).filter((text) => !/status of 4(15|22|00)/.test(text))).toEqual([]);
});

it('one sees who is here, and nobody sees who does not want it', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const adas = await Visitor.loggedIn(browser, ada);
  await adas.open('Ben Okafor');
  const bens = await Visitor.loggedIn(browser, ben);
  await adas.page.locator('.pane-title').getByText('online').waitFor();
  await bens.page.locator('.sidebar-me').click();
  await bens.page.getByRole('switch', { name: 'Others see when I am online' }).click();
  await adas.page.locator('.pane-title').getByText('online').waitFor({ state: 'detached' });
  expect(await adas.leave()).toEqual([]);
  expect(await bens.leave()).toEqual([]);
});
