import { CONVERSATION_NAME_CODE_POINTS_MAX } from '@parley/contracts';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openBrowser } from '../../scripts/browser/chromium.mjs';
import { freshName, type TestUser } from '../clients/test-user.js';
import { signUp, Visitor } from './visitor.js';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

async function findAndCheck(visitor: Visitor, username: string): Promise<void> {
  const dialog = visitor.page.getByRole('dialog');
  await dialog.getByRole('searchbox').fill(username);
  await dialog
    .locator('.person', { hasText: `@${username}` })
    .getByRole('checkbox')
    .check();
}

/** As with a slow socket: what has happened meanwhile is heard of only when the history was asked for already. */
async function connectAfterHistory({ context, page }: Visitor): Promise<void> {
  const asked = page.waitForResponse(/\/messages\?/).catch(() => undefined);
  await context.routeWebSocket(/.*/, async (socket) => {
    await asked;
    socket.connectToServer();
  });
}

/** The browser itself notes each refused request. */
const withoutRefusals = (complaints: readonly string[]): string[] =>
  complaints.filter((text) => !/status of 404/.test(text));

it('a group is made, renamed, joined and left, and its roles change hands', async () => {
  const [ada, ben, chloe] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor'), await signUp('Chloé Martin')];
  const name = freshName('Engine room');
  const [adas, bens] = [await Visitor.loggedIn(browser, ada), await Visitor.loggedIn(browser, ben)];
  await adas.page.getByRole('button', { name: 'New chat' }).first().click();
  await findAndCheck(adas, ben.username);
  await findAndCheck(adas, chloe.username);
  const field = adas.page.getByLabel('Name of the group (optional)');
  expect(await field.getAttribute('maxlength')).toBe(String(CONVERSATION_NAME_CODE_POINTS_MAX));
  await field.fill(name);
  await adas.page.getByRole('button', { name: 'Create group' }).click();
  await adas.send('Welcome aboard');
  await bens.open(name);
  await adas.page.getByText('Seen by Ben').waitFor();

  await adas.page.getByRole('button', { name: 'About this conversation' }).click();
  const panel = adas.page.getByRole('complementary', { name: 'About this conversation' });
  await panel.getByRole('button', { name: 'Rename' }).click();
  await panel.getByLabel('Name of the group').fill(`${name} 2`);
  await panel.getByRole('button', { name: 'Save' }).click();
  await bens.page.getByRole('main', { name: `${name} 2` }).waitFor();

  const dora = await signUp('Dora Maar');
  await panel.getByRole('button', { name: 'Add people' }).click();
  await findAndCheck(adas, dora.username);
  await adas.page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
  await panel.locator('.member', { hasText: 'Dora Maar' }).waitFor();
  expect((await dora.sync()).conversations).toHaveLength(1);

  await panel.getByRole('button', { name: 'More about Ben Okafor' }).click();
  await adas.page.getByRole('menuitem', { name: 'Make admin' }).click();
  await panel.locator('.member', { hasText: 'Ben Okafor' }).getByText('Admin').waitFor();
  await panel.getByRole('button', { name: 'Leave group' }).click();
  await adas.page.getByRole('dialog').getByRole('button', { name: 'Leave' }).click();
  await adas.row(name).waitFor({ state: 'detached' });
  await bens.page.getByText('3 members').first().waitFor();
  expect(await adas.leave()).toEqual([]);
  expect(await bens.leave()).toEqual([]);
});

it('who is removed sees it end, and can write no more', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const { conversationId } = await ada.group([ben], 'Engine room');
  await ada.send(conversationId, 'before');
  const bens = await Visitor.loggedIn(browser, ben);
  await bens.open('Engine room');
  await bens.message('before').waitFor();
  await ada.members(conversationId, { remove: [ben.userId] });
  await bens.sees('You are not a member of this conversation any more.');
  await ada.send(conversationId, 'after');
  await bens.row('Engine room').waitFor({ state: 'detached' });
  expect(await bens.page.locator('.composer').count()).toBe(0);
  expect(await bens.texts()).toEqual(['before']);
  await bens.page.reload();
  await bens.sees('This conversation does not exist, or you are not a member of it.');
  expect(withoutRefusals(await bens.leave())).toEqual([]);
});

it('who was removed while away is told so on coming back, at the address of the group too', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const read = await ada.group([ben], 'Engine room');
  const unread = await ada.group([ben], 'Boiler room');
  await ada.send(read.conversationId, 'before');
  const bens = await Visitor.loggedIn(browser, ben);
  await bens.row('Boiler room').waitFor();
  await expect.poll(() => bens.kept()).toContain(unread.conversationId);
  await bens.open('Engine room');
  await bens.message('before').waitFor();
  for (const { conversationId } of [read, unread]) {
    await bens.page.goto('about:blank');
    await ada.members(conversationId, { remove: [ben.userId] });
    if (conversationId === unread.conversationId) await connectAfterHistory(bens);
    await bens.page.goto(`/c/${conversationId}`);
    const told = bens.page.getByText(/^This conversation does not exist|^You are not a member of this conversation/);
    await told.waitFor();
    expect(await bens.page.locator('.timeline-skeleton, .composer').count()).toBe(0);
  }
  expect(withoutRefusals(await bens.leave())).toEqual([]);
});

it('a large group is shown a screen at a time, and the roles of all its members as they change', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const others: TestUser[] = [];
  for (let number = 10; number < 38; number++) others.push(await signUp(`Member ${number}`));
  const { conversationId } = await ada.group([ben, ...others], 'Assembly');
  await ada.members(conversationId, { roles: { [ben.userId]: 'admin' } });
  const adas = await Visitor.loggedIn(browser, ada);
  await adas.open('Assembly');
  const asked = new Set<string>();
  adas.page.on('request', (request) => {
    if (/\/v1\/users\/[0-9a-f-]{36}$/.test(request.url())) asked.add(request.url());
  });
  await adas.page.getByRole('button', { name: 'About this conversation' }).click();
  const last = adas.page.locator('.member', { hasText: 'Member 37' });
  await last.waitFor({ state: 'attached' });
  await expect.poll(() => asked.size).toBeGreaterThan(0);
  expect(await last.getByText('Admin').count()).toBe(0);
  await ben.rest.call('PUT', `/v1/conversations/${conversationId}/members`, {
    body: { roles: { [others.at(-1)?.userId ?? '']: 'admin' } },
  });
  await last.getByText('Admin').waitFor({ state: 'attached' });
  // By now everybody has been shown twice; on the screen are seven of them.
  expect(asked.size).toBeLessThan(20);
  expect(await adas.leave()).toEqual([]);
}, 120_000);

it('a conversation is muted, pinned and archived for oneself alone', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  const quiet = await ada.group([ben], 'Quiet');
  await ada.group([ben], 'Loud');
  const bens = await Visitor.loggedIn(browser, ben);
  await bens.open('Quiet');
  await bens.page.getByRole('button', { name: 'About this conversation' }).click();
  await bens.page.getByRole('switch', { name: 'Mute' }).click();
  await bens.page.getByRole('menuitem', { name: 'For an hour' }).click();
  await bens.row('Quiet').getByText('muted').waitFor();
  await bens.page.getByRole('switch', { name: 'Pinned' }).click();
  await expect.poll(() => bens.page.locator('.sidebar .row-title').first().textContent()).toBe('Quiet');
  await bens.open('Loud');
  await ada.send(quiet.conversationId, 'pssst');
  await bens.row('Quiet').getByText('pssst').waitFor();
  expect(await bens.page.title()).toBe('Parley');
  await bens.open('Quiet');
  await bens.page.getByRole('switch', { name: 'Archived' }).click();
  await bens.page.getByRole('button', { name: 'Archived (1)' }).click();
  const mine = await ben.conversation(quiet.conversationId);
  const theirs = await ada.conversation(quiet.conversationId);
  expect(mine.settings).toMatchObject({ pinned: true, archived: true });
  expect(theirs.settings).toMatchObject({ pinned: false, archived: false, mutedUntil: null });
  expect(await bens.leave()).toEqual([]);
});

it('somebody is blocked from a chat, and let in again from the settings', async () => {
  const [ada, ben] = [await signUp('Ada Lovelace'), await signUp('Ben Okafor')];
  await ada.direct(ben);
  const bens = await Visitor.loggedIn(browser, ben);
  await bens.open('Ada Lovelace');
  await bens.page.getByRole('button', { name: 'About this conversation' }).click();
  await bens.page.getByRole('button', { name: 'Block Ada Lovelace' }).click();
  await bens.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  await bens.page.getByRole('button', { name: 'Unblock Ada Lovelace' }).waitFor();
  await bens.page.locator('.sidebar-me').click();
  await bens.page.getByRole('dialog').getByRole('button', { name: 'Unblock' }).click();
  await bens.page.getByRole('region', { name: 'Blocked people' }).waitFor({ state: 'detached' });
  expect(await bens.leave()).toEqual([]);
});
