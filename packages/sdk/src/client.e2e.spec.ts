import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RestClient } from '../../../test/clients/rest-client.js';
import { TestUser } from '../../../test/clients/test-user.js';
import {
  connect,
  logOut,
  memoryStore,
  ParleyError,
  resume,
  type ParleyClient,
  type ParleyConversation,
} from './index.js';
import { placed, SdkTrial, until, untilConnection, type Person } from './testing/sdk-trial.js';

let trial: SdkTrial;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  // Somebody idle is seen soon.
  trial = await SdkTrial.start({ PRESENCE_IDLE_AFTER_MS: '3000' });
  ada = await trial.person('Ada');
  bob = await trial.person('Bob');
});
afterAll(() => trial.stop());

interface Chat {
  adas: ParleyConversation;
  bobs: ParleyConversation;
}

async function chat(): Promise<Chat> {
  const adas = await ada.client.createGroup('Engine room', [bob.client.userId]);
  const bobs = await bob.client.conversation(adas.id);
  for (const one of [adas, bobs]) {
    onTestFinished(one.subscribe(() => {}));
    await until(one, () => one.isLoaded, 'loaded');
  }
  return { adas, bobs };
}

describe('a conversation', () => {
  it('shows a message at once, then as sent, delivered and read', async () => {
    const { adas, bobs } = await chat();
    const seen: string[] = [];
    adas.on('timeline', (items) => seen.push(items.at(-1)?.status ?? ''));
    await adas.send('Hello');
    await until(bobs, (items) => items.at(-1)?.content === 'Hello');
    await until(adas, (items) => items.at(-1)?.status === 'delivered');
    bobs.markRead();
    await until(adas, (items) => items.at(-1)?.status === 'read');
    const steps = seen.filter((status, i) => status !== '' && status !== seen[i - 1]);
    expect(steps).toEqual(['sending', 'sent', 'delivered', 'read']);
    const messageId = adas.timeline.at(-1)?.messageId ?? '';
    expect(adas.seenBy(messageId).map(({ displayName }) => displayName)).toEqual(['Bob']);
    const { items } = await adas.receipts(messageId);
    expect(items.find(({ userId }) => userId === bob.client.userId)?.readAt).toEqual(expect.any(String));
  });

  it('shows edits, reactions and deletions to everybody', async () => {
    const { adas, bobs } = await chat();
    await adas.send('Helo');
    await until(adas, (items) => items.at(-1)?.messageId != null);
    const messageId = adas.timeline.at(-1)?.messageId ?? '';
    await adas.edit(messageId, 'Hello');
    await until(bobs, (items) => items.at(-1)?.content === 'Hello' && items.at(-1)?.editedAt !== null);
    await bobs.react(messageId, '👍');
    await until(adas, (items) => items.at(-1)?.reactions[0]?.userIds[0] === bob.client.userId);
    await bobs.unreact(messageId, '👍');
    await until(adas, (items) => items.at(-1)?.reactions.length === 0);
    await adas.delete(messageId);
    await until(bobs, (items) => items.at(-1)?.deletedAt !== null && items.at(-1)?.content === '');
    expect(adas.details.lastMessage?.preview).toBe(bobs.details.lastMessage?.preview);
  });

  it('says who is typing', async () => {
    const { adas, bobs } = await chat();
    const typing = new Promise<readonly string[]>((done) => onTestFinished(bobs.on('typing', done)));
    adas.setTyping();
    expect(await typing).toEqual([ada.client.userId]);
    const ended = new Promise<readonly string[]>((done) => onTestFinished(bobs.on('typing', done)));
    await adas.send('there');
    expect(await ended).toEqual([]);
  });

  it('changes name, members and roles, and ends for whom it takes out', async () => {
    const { adas, bobs } = await chat();
    await adas.rename('Boiler room');
    await until(bobs, () => bobs.details.name === 'Boiler room', 'renamed');
    await adas.setRole(bob.client.userId, 'admin');
    await until(bobs, () => bobs.details.role === 'admin', 'an admin');
    const cat = await trial.person('Cat');
    await bobs.addMembers(cat.client.userId);
    await until(adas, () => adas.details.members.some(({ displayName }) => displayName === 'Cat'), 'three');
    expect((await adas.members()).items).toHaveLength(3);
    const removed = new Promise((done) => bobs.on('removed', done));
    await adas.removeMembers(bob.client.userId);
    await removed;
    await expect(bobs.send('still here')).rejects.toMatchObject({ code: 'not_found' });
    expect(bob.client.conversations.some(({ conversationId }) => conversationId === adas.id)).toBe(false);
  });

  it('loads older messages page by page', async () => {
    const { adas } = await chat();
    const reader = await TestUser.signUp(trial.app.url, 'Rita');
    await adas.addMembers(reader.userId);
    await reader.sendMany(adas.id, 120);
    const late = await trial.again(ada);
    const again = await late.conversation(adas.id);
    onTestFinished(again.subscribe(() => {}));
    await until(again, (items) => items.length === 50);
    expect(again.hasOlder).toBe(true);
    while (await again.loadOlder());
    expect(placed(again.timeline)).toEqual(await trial.history(reader, adas.id));
  });

  it('jumps to the first unread message, to any other one, and back to the live end', async () => {
    const { adas } = await chat();
    const writer = await TestUser.signUp(trial.app.url, 'Wim');
    await adas.addMembers(writer.userId);
    await writer.sendMany(adas.id, 200);
    const late = await (await trial.again(ada)).conversation(adas.id);
    onTestFinished(late.subscribe(() => {}));
    expect((await late.jumpToFirstUnread())?.seq).toBe(1);
    expect(late.hasNewer).toBe(true);
    expect(late.hasOlder).toBe(false);
    const { items } = await writer.history(adas.id, '?limit=100');
    const target = items[99];
    expect((await late.jumpTo(target?.messageId ?? ''))?.seq).toBe(101);
    const quoted = await late.message(
      (await writer.history(adas.id, '?limit=1&around=first_unread')).items[0]?.messageId ?? '',
    );
    expect(late.peek(quoted.messageId)).toEqual(quoted);
    const whole = await trial.history(writer, adas.id);
    while (await late.loadNewer());
    while (await late.loadOlder());
    expect(placed(late.timeline)).toEqual(whole);
    await late.jumpTo(target?.messageId ?? '');
    late.markRead();
    expect(await late.jumpToFirstUnread()).toBeNull();
  });

  it('shows its live end when it is written to', async () => {
    const { adas } = await chat();
    const writer = await TestUser.signUp(trial.app.url, 'Wim');
    await adas.addMembers(writer.userId);
    await writer.sendMany(adas.id, 120);
    const late = await (await trial.again(ada)).conversation(adas.id);
    onTestFinished(late.subscribe(() => {}));
    await late.jumpToFirstUnread();
    expect(late.hasNewer).toBe(true);
    await late.send('an answer');
    expect(late.hasNewer).toBe(false);
    expect(late.timeline.at(-1)?.content).toBe('an answer');
    await until(late, (shown) => shown.at(-1)?.seq === 121);
  });

  it('refuses what the server refuses, with a reason, and goes on with the next', async () => {
    const { adas, bobs } = await chat();
    await adas.send(' ');
    await adas.send('fine');
    await until(bobs, (items) => items.at(-1)?.content === 'fine');
    await until(adas, (items) => items.at(-1)?.status === 'failed');
    const failed = adas.timeline.at(-1);
    expect(failed?.failure).toMatchObject({ code: 'validation_failed', retryable: false });
    expect(adas.discard(failed?.clientMsgId ?? '')).toBe(true);
    expect(adas.timeline.map(({ content }) => content)).toEqual(['fine']);
  });
});

describe('the list of conversations', () => {
  const listed = (client: ParleyClient, id: string) =>
    client.conversations.find(({ conversationId }) => conversationId === id);

  it('is ordered, counts what is unread, and follows settings', async () => {
    const cat = await trial.person('Cat');
    const first = await cat.client.createGroup('first', [ada.client.userId]);
    const second = await cat.client.createGroup('second', [ada.client.userId]);
    const names = () =>
      ada.client.conversations.map(({ name }) => name).filter((name) => name === 'first' || name === 'second');
    const changed = (isSo: () => boolean) =>
      new Promise<void>((done) => {
        const check = () => isSo() && (stop(), done());
        const stop = ada.client.on('conversations', check);
        check();
      });
    const before = ada.client.unreadCount;
    await first.send('one');
    await first.send('two');
    await changed(() => listed(ada.client, first.id)?.unreadCount === 2);
    expect(names()).toEqual(['first', 'second']);
    expect(listed(ada.client, first.id)?.lastMessage?.preview).toBe('two');
    expect(ada.client.unreadCount).toBe(before + 2);
    const adas = await ada.client.conversation(second.id);
    await adas.changeSettings({ pinned: true });
    expect(names()).toEqual(['second', 'first']);
    await (await ada.client.conversation(first.id)).changeSettings({ archived: true });
    expect(ada.client.unreadCount).toBe(before);
  });

  it('finds users, makes one direct conversation with each, and changes one’s own profile', async () => {
    const { items } = await ada.client.searchUsers(bob.username);
    expect(items.map(({ userId }) => userId)).toEqual([bob.client.userId]);
    const direct = await ada.client.direct(bob.client.userId);
    expect((await bob.client.direct(ada.client.userId)).id).toBe(direct.id);
    expect(await ada.client.updateMe({ statusText: 'computing' })).toMatchObject({ statusText: 'computing' });
    expect((await bob.client.user(ada.client.userId)).statusText).toBe('computing');
  });
});

describe('presence', () => {
  it('shows who comes, who only has it open, who goes, and nobody who hides', async () => {
    const dora = await trial.person('Dora');
    const { userId } = dora.client;
    const seen: string[] = [];
    onTestFinished(ada.client.watchPresence([userId], ([one]) => void (one && seen.push(one.status))));
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('online');
    dora.client.setActive(false);
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('idle');
    seen.length = 0;
    dora.client.setActive(true);
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('online');
    await dora.client.updateMe({ presenceHidden: true });
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).toBe('offline');
    expect(await ada.client.queryPresence([userId])).toEqual([{ userId, status: 'offline', lastSeen: null }]);
    await dora.client.updateMe({ presenceHidden: false });
    await expect.poll(() => seen.at(-1), { timeout: 10_000 }).not.toBe('offline');
    trial.proxy.cut();
    ada.client.reconnect();
    await untilConnection(ada.client, 'connected');
    await dora.client.close();
    await expect.poll(() => ada.client.presenceOf(userId)?.status, { timeout: 15_000 }).toBe('offline');
    expect(ada.client.presenceOf(userId)?.lastSeen).toEqual(expect.any(String));
  });
});

describe('signing in', () => {
  it('takes a token, or a function that gives one', async () => {
    const user = await TestUser.signUp(trial.app.url);
    const client = trial.kept(await connect({ url: trial.proxy.url, token: async () => user.session.accessToken }));
    await untilConnection(client, 'connected');
    expect(client.userId).toBe(user.userId);
  });

  it('rejects a token that the server refuses', async () => {
    const refused = connect({ url: trial.proxy.url, token: 'nonsense' });
    await expect(refused).rejects.toMatchObject({ code: 'unauthenticated', retryable: false });
    await expect(refused).rejects.toBeInstanceOf(ParleyError);
  });

  it('goes on with the session that a store holds, and has nothing without one', async () => {
    const { client, store } = await trial.person('Dora');
    const chat = await client.createGroup('kept', []);
    await client.close();
    const next = await resume(trial.options(store));
    if (!next) throw new Error('No session');
    trial.kept(next);
    expect(next.userId).toBe(client.userId);
    expect(next.conversations.map(({ conversationId }) => conversationId)).toEqual([chat.id]);
    await untilConnection(next, 'connected');
    expect(await resume(trial.options(memoryStore()))).toBeNull();
  });

  it('ends at the server and here, with all that was kept of it', async () => {
    const store = memoryStore();
    const { client } = await trial.person('Dora', { store });
    await (await client.createGroup('kept', [])).send('unsent or not');
    const { refreshToken } = JSON.parse((await store.get('session')) ?? '{}') as { refreshToken: string };
    expect(await logOut(client, trial.options(store))).toBe(true);
    expect(client.connectionState.status).toBe('closed');
    expect(await store.keys('')).toEqual(['device']);
    const refreshed = await new RestClient(trial.app.url).call('POST', '/v1/auth/refresh', { body: { refreshToken } });
    expect(refreshed.status).toBe(401);
  });

  it('ends here also when the server is not reached', async () => {
    const store = memoryStore();
    const { client } = await trial.person('Dora', { store });
    trial.proxy.refuse();
    trial.proxy.cut();
    expect(await logOut(client, trial.options(store))).toBe(false);
    await trial.proxy.heal();
    expect(await store.keys('')).toEqual(['device']);
  });

  it('ends when the session is revoked, and says so', async () => {
    const user = await TestUser.signUp(trial.app.url);
    const token = user.session.accessToken;
    const client = trial.kept(await connect({ url: trial.proxy.url, token, store: memoryStore() }));
    await untilConnection(client, 'connected');
    await user.rest.wantEmpty(204, 'POST', '/v1/auth/logout', { refreshToken: user.session.refreshToken });
    await untilConnection(client, 'closed');
    expect(client.connectionState).toMatchObject({ error: { code: 'session_revoked' } });
    await expect(client.conversation(randomUUID())).rejects.toBeInstanceOf(ParleyError);
  });
});
