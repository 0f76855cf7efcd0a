// The pictures of the README: `node scripts/screenshots.mjs` writes docs/images from the built web client, with people
// and words that are only there for the picture.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { startBuiltServer } from './browser/built-server.mjs';
import { openBrowser } from './browser/chromium.mjs';
import { root } from './sources.mjs';

const PASSWORD = 'correct horse battery';
const PEOPLE = { ada: 'Ada Lovelace', ben: 'Ben Okafor', chloe: 'Chloé Martin', dev: 'Dev Patel', emi: 'Emi Tanaka' };
const folder = join(root, 'docs', 'images');

const server = await startBuiltServer();
const browser = await openBrowser();
try {
  const tokens = {};
  const ids = {};
  for (const [username, displayName] of Object.entries(PEOPLE)) {
    const { accessToken, user } = await call('POST', '/auth/signup', { username, password: PASSWORD, displayName });
    tokens[username] = accessToken;
    ids[username] = user.userId;
  }
  await talk({ tokens, ids });
  mkdirSync(folder, { recursive: true });
  await picture('chat-light', { viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  await picture('chat-dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  await picture('phone', { viewport: { width: 390, height: 760 }, colorScheme: 'light', deviceScaleFactor: 2 });
} finally {
  await browser.close();
  await server.stop();
}

async function call(method, path, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  const answer = await fetch(`${server.url}/v1${path}`, request);
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.json();
}

async function talk({ tokens, ids }) {
  const group = (by, name, ...others) =>
    call('POST', '/conversations', { type: 'group', name, memberIds: others.map((who) => ids[who]) }, tokens[by]);
  const direct = (by, other) => call('POST', '/conversations', { type: 'direct', memberIds: [ids[other]] }, tokens[by]);
  const say = ({ conversationId }, by, content, more = {}) => {
    const body = { content, clientMsgId: crypto.randomUUID(), ...more };
    return call('POST', `/conversations/${conversationId}/messages`, body, tokens[by]);
  };
  const react = (message, emoji, ...people) => {
    const path = `/conversations/${message.conversationId}/messages/${message.messageId}/reactions/${encodeURIComponent(emoji)}`;
    return Promise.all(people.map((by) => call('PUT', path, undefined, tokens[by])));
  };
  const corner = await group('chloe', 'Coffee corner', 'ada', 'dev');
  const book = await group('emi', 'Book club', 'ada', 'ben', 'chloe');
  const launch = await group('ada', 'Lighthouse launch', 'ben', 'chloe', 'dev');
  const [ben, dev, emi] = [await direct('ada', 'ben'), await direct('ada', 'dev'), await direct('emi', 'ada')];
  await say(book, 'emi', 'Chapter nine for Thursday?');
  await say(emi, 'emi', 'Thank you for yesterday!');
  await say(dev, 'ada', 'The lens arrives on Friday.');
  await say(corner, 'dev', 'Who drank the last oat milk?');
  await say(corner, 'chloe', 'Not me, I swear');
  await say(ben, 'ben', 'Did the tunnel test work?');
  await say(ben, 'ada', 'It did. Everything arrived, in order.');
  const page = await say(launch, 'chloe', 'The new page is up: https://example.org/lighthouse');
  await say(launch, 'chloe', 'Could somebody look at it on a phone?');
  const found = await say(launch, 'dev', 'On it. The header jumps at 320 px, everything else is calm.');
  await say(launch, 'ada', 'Good catch, fixing it now', { replyToMessageId: found.messageId });
  const done = await say(launch, 'ada', 'Done, it is in the next build.');
  await say(launch, 'ben', 'Works here, on both phones 🎉');
  await react(page, '👍', 'ben', 'dev', 'ada');
  await react(page, '🎉', 'ben');
  await react(done, '🙏', 'chloe', 'dev');
  const read = { lastReadMessageId: done.messageId };
  for (const by of ['ben', 'chloe', 'dev']) {
    await call('PUT', `/conversations/${launch.conversationId}/read`, read, tokens[by]);
  }
}

async function picture(name, options) {
  const context = await browser.newContext({
    ...options,
    baseURL: server.url,
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.goto('/login');
  await page.getByLabel('User name').fill('ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.locator('.row', { hasText: 'Lighthouse' }).click();
  await page.locator('.bubble', { hasText: 'Works here' }).waitFor();
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement?.blur());
  // The line of what is new goes away with the second visit, as it does for people.
  await page.locator('.row', { hasText: 'Lighthouse' }).locator('.badge').waitFor({ state: 'detached' });
  await page.reload();
  await page.locator('.bubble', { hasText: 'Works here' }).waitFor();
  await page.evaluate(() => document.activeElement?.blur());
  const bytes = await page.screenshot({ animations: 'disabled' });
  await sharp(bytes)
    .png({ palette: true, quality: 90 })
    .toFile(join(folder, `${name}.png`));
  await context.close();
}
