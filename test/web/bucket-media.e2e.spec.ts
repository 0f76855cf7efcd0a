import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBuiltServer } from '../../scripts/browser/built-server.mjs';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { S3_ACCOUNT, startEngines, type StartedEngines } from '../../scripts/engines/index.mjs';
import { TestUser } from '../clients/test-user.js';
import { Visitor } from './visitor.js';

let browser: Browser;
let engines: StartedEngines;
let server: Awaited<ReturnType<typeof startBuiltServer>>;
beforeAll(async () => {
  browser = await openBrowser();
  engines = await startEngines(['s3']);
  const { bucket, region, accessKeyId, secretAccessKey } = S3_ACCOUNT;
  server = await startBuiltServer({
    S3_ENDPOINT: engines.env['S3_ENDPOINT'] ?? '',
    S3_BUCKET: bucket,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  });
}, 180_000);
afterAll(async () => {
  await browser.close();
  await server.stop();
  await engines.stop();
});

it('pictures that lie in a bucket of another origin are shown, and files there are saved', async () => {
  const [ada, ben] = [
    await TestUser.signUp(server.url, 'Ada Lovelace'),
    await TestUser.signUp(server.url, 'Ben Okafor'),
  ];
  await ada.direct(ben);
  const visitor = await Visitor.loggedIn(browser, ada, { baseURL: server.url });
  const fetched: string[] = [];
  visitor.page.on('response', (response) => {
    if (response.ok()) fetched.push(new URL(response.url()).origin);
  });
  await visitor.open('Ben Okafor');
  const buffer = await sharp({ create: { width: 64, height: 40, channels: 3, background: '#2a7d6f' } })
    .png()
    .toBuffer();
  await visitor.page.locator('input[type=file]').setInputFiles([
    { name: 'harbour.png', mimeType: 'image/png', buffer },
    { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Bring the map.\n') },
  ]);
  await expect.poll(() => visitor.page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
  await visitor.send('Here it is');
  const shown = visitor.message('Here it is').getByRole('button', { name: 'Picture harbour.png' }).locator('img');
  await expect.poll(() => shown.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(64);
  await expect.poll(() => fetched).toContain(new URL(engines.env['S3_ENDPOINT'] ?? '').origin);
  const file = visitor.message('Here it is').getByRole('link', { name: /notes\.txt/ });
  const [download] = await Promise.all([visitor.page.waitForEvent('download'), file.click()]);
  expect(download.suggestedFilename()).toBe('notes.txt');
  expect(await visitor.leave()).toEqual([]);
});
