import { randomUUID } from 'node:crypto';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import type { TestUser } from '../clients/test-user.js';
import { measureTasks } from './main-thread.js';
import { signUp, Visitor } from './visitor.js';

const MESSAGES = 10_000;
const SENDS_AT_ONCE = 50;
const SEND_TRIES_MAX = 10;
const TASK_MS_MAX = 50;
const UNREAD = 500;
const LOOK_FRAMES = 90;

let browser: Browser;
let ada: TestUser;
let ben: TestUser;
let conversationId: string;
let middle: string;
beforeAll(async () => {
  browser = await openBrowser();
  [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  ({ conversationId } = await ada.direct(ben));
  await sendAll(Array.from({ length: MESSAGES }, (_, index) => [(index + 1) % 3 === 0 ? ben : ada, textOf(index + 1)]));
  const { items } = await ben.history(conversationId, '?limit=1');
  await ben.read(conversationId, items[0]?.messageId ?? '');
  middle = await messageIdAt(MESSAGES / 2);
}, 240_000);
afterAll(() => browser.close());

/** In any order, each once, however busy the machine is. */
async function sendAll(texts: readonly (readonly [sender: TestUser, content: string])[]): Promise<void> {
  const { lastSeq: before } = await ada.conversation(conversationId);
  const waiting = [...texts];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const body = { content: next[1], clientMsgId: randomUUID() };
      let status = 0;
      for (let tries = 0; tries < SEND_TRIES_MAX && status !== 200 && status !== 201; tries++) {
        ({ status } = await next[0].rest.call('POST', `/v1/conversations/${conversationId}/messages`, { body }));
      }
    }
  };
  await Promise.all(Array.from({ length: SENDS_AT_ONCE }, worker));
  const { lastSeq } = await ada.conversation(conversationId);
  expect(lastSeq - before, 'messages that were stored').toBe(texts.length);
}

/** Found by pages: what a message's id is, only the server knows. */
async function messageIdAt(seq: number): Promise<string> {
  let before = '';
  for (;;) {
    const { items } = await ben.history(conversationId, `?limit=100${before && `&before=${before}`}`);
    const found = items.find((message) => message.seq === seq);
    if (found) return found.messageId;
    before = items.at(-1)?.messageId ?? '';
  }
}

function textOf(number: number): string {
  return `Message ${number}. ${'It goes on for a while. '.repeat(number % 7)}`.trim();
}

const seqsOn = (page: Page): Promise<number[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-seq]')].map((row) => Number(row.dataset['seq'])),
  );

/** Scrolls a screen at a time, as fast as frames come, until the message with this `seq` is on the page. */
async function scrollTo(page: Page, seq: number, step: number): Promise<Set<number>> {
  const seen = await page.evaluate(
    async ({ seq: wanted, step: by }) => {
      const scroller = document.querySelector<HTMLElement>('.timeline-scroller');
      const met = new Set<number>();
      const until = performance.now() + 180_000;
      while (performance.now() < until && !met.has(wanted)) {
        scroller?.scrollBy(0, by);
        await new Promise(requestAnimationFrame);
        for (const row of document.querySelectorAll<HTMLElement>('[data-seq]')) met.add(Number(row.dataset['seq']));
      }
      return [...met];
    },
    { seq, step },
  );
  return new Set(seen);
}

/** Whether the line of what is new stays on the screen, while older and newer messages come. */
function framesWithLine(page: Page): Promise<{ seen: number; away: number }> {
  return page.evaluate(async (frames) => {
    const count = { seen: 0, away: 0 };
    const scroller = document.querySelector('.timeline-scroller')?.getBoundingClientRect();
    for (let frame = 0; frame < frames; frame += 1) {
      await new Promise(requestAnimationFrame);
      const line = document.querySelector('.unread-line')?.getBoundingClientRect();
      const isSeen = line && scroller && line.top >= scroller.top && line.bottom <= scroller.bottom;
      count[isSeen ? 'seen' : 'away'] += 1;
    }
    return count;
  }, LOOK_FRAMES);
}

describe(`a timeline of ${MESSAGES} messages`, () => {
  it(`scrolls from its end to its beginning, every message on the way, without a task of ${TASK_MS_MAX} ms`, async () => {
    const visitor = await Visitor.loggedIn(browser, ben);
    await visitor.open('Ada Lovelace');
    await expect.poll(() => seqsOn(visitor.page)).toContain(MESSAGES);
    await visitor.page.locator('.timeline-scroller[aria-busy="false"]').waitFor();
    let seen = new Set<number>();
    const tasks = await measureTasks(browser, visitor.page, async () => {
      seen = await scrollTo(visitor.page, 1, -600);
    });
    const missing = Array.from({ length: MESSAGES }, (_, index) => index + 1).filter((seq) => !seen.has(seq));
    expect(missing).toEqual([]);
    expect((await seqsOn(visitor.page)).length).toBeLessThan(150);
    // A run in which nothing was measured would prove nothing.
    expect(tasks.count).toBeGreaterThan(1_000);
    expect(tasks.longestMs).toBeGreaterThan(0.5);
    expect(tasks.longestMs).toBeLessThan(TASK_MS_MAX);

    await visitor.page.getByRole('button', { name: 'To the latest message' }).click();
    await expect.poll(() => seqsOn(visitor.page)).toContain(MESSAGES);
    expect(await visitor.leave()).toEqual([]);
  }, 240_000);

  it('leads to an old message that is quoted, goes on from there both ways, and comes back to its end', async () => {
    await ada.send(conversationId, 'Do you remember?', { replyToMessageId: middle });
    const visitor = await Visitor.loggedIn(browser, ben);
    await visitor.open('Ada Lovelace');
    const quote = visitor.message('Do you remember?').getByRole('button', { name: /^In reply to/ });
    await quote.click();
    await expect.poll(() => seqsOn(visitor.page)).toContain(MESSAGES / 2);
    const seen = await scrollTo(visitor.page, MESSAGES / 2 + 200, 400);
    for (const seq of await scrollTo(visitor.page, MESSAGES / 2 - 200, -400)) seen.add(seq);
    const missing = Array.from({ length: 401 }, (_, index) => MESSAGES / 2 - 200 + index).filter(
      (seq) => !seen.has(seq),
    );
    expect(missing).toEqual([]);
    await visitor.page.getByRole('button', { name: 'To the latest message' }).click();
    await visitor.message('Do you remember?').waitFor();
    expect(await visitor.leave()).toEqual([]);
  });

  it.each([1, 6])(
    'opens at the first unread message at 1/%i of the speed, and marks read what was seen',
    async (rate) => {
      const { lastSeq, lastMessage } = await ben.conversation(conversationId);
      await ben.read(conversationId, lastMessage?.messageId ?? '');
      await sendAll(Array.from({ length: UNREAD }, (_, index) => [ada, textOf(index)]));
      const visitor = await Visitor.loggedIn(browser, ben);
      await visitor.row('Ada Lovelace').getByText(`${UNREAD}`).waitFor();
      const session = await visitor.context.newCDPSession(visitor.page);
      await session.send('Emulation.setCPUThrottlingRate', { rate });
      await visitor.open('Ada Lovelace');
      await visitor.page.locator('.unread-line', { hasText: 'New messages' }).waitFor();
      expect(await framesWithLine(visitor.page)).toEqual({ seen: LOOK_FRAMES, away: 0 });
      await expect.poll(() => seqsOn(visitor.page)).toContain(lastSeq + 1);
      expect(await seqsOn(visitor.page)).not.toContain(lastSeq + UNREAD);
      const unread = async (): Promise<number> => (await ben.conversation(conversationId)).unreadCount;
      await expect.poll(unread).toBeLessThan(UNREAD);
      expect(await unread()).toBeGreaterThan(UNREAD / 2);
      await visitor.page.getByRole('button', { name: /new messages$/ }).click();
      await expect.poll(unread).toBe(0);
      await visitor.row('Ada Lovelace').locator('.badge').waitFor({ state: 'detached' });
      expect(await visitor.leave()).toEqual([]);
    },
  );
});
